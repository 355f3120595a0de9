"""Dagster's entry point. Importing it imports neither torch nor xgboost."""

from cis490_pipeline.orchestration.build import build_definitions
from cis490_pipeline.settings import Settings

defs = build_definitions(Settings())
