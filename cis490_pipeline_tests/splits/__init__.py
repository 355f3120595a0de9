"""Tests of ``cis490_pipeline.splits``."""
