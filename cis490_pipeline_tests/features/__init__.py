"""Tests of ``cis490_pipeline.features``."""
