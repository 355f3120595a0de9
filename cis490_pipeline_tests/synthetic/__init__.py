"""The synthetic writer, held against the reader."""
