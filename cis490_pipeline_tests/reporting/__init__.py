"""Tests of the reporting."""
