"""Tests of ``cis490_pipeline.receiver``."""
