"""The committed corpus: what is chosen from it, and that it is what it says."""
