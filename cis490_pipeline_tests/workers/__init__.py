"""Tests of what a machine can do for others, and which jobs it may do."""
