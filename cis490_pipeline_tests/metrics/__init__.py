"""Tests of the metric functions."""
