"""Tests of ``cis490_pipeline.telemetry``."""
