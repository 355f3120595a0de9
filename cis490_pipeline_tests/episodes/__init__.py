"""Tests of ``cis490_pipeline.episodes``."""
