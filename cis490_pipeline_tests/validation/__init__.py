"""Tests of ``cis490_pipeline.validation``."""
