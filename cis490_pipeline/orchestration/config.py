"""What the launchpad shows: Dagster configuration that converts to the domain's dataclasses.

Not here: where things are (``resources``), defaults that change a number (the dataclasses).
"""

from typing import Any

import dagster as dg
from pydantic import Field

from cis490_pipeline.splits.config import SplitConfig


class IndexConfig(dg.Config):
    """Which index of the store is read."""

    index: str = Field(
        default="index.jsonl", description="File name of the index, inside the store."
    )


class IngestConfig(IndexConfig):
    """Which rows of the index are read."""

    upto: str = Field(
        default="",
        description="Position in the index, as the sensor wrote it; later rows are left to a later "
        "run. Empty: everything there is.",
    )


class SetsConfig(dg.Config):
    """How episodes are chosen for a split."""

    statuses: list[str] = Field(
        default=["accepted", "degraded"], description="Gate verdicts that may train and test."
    )

    def to_split_config(self) -> SplitConfig:
        """Return the domain's parameters."""
        return SplitConfig(statuses=tuple(self.statuses))


class ModelConfig(dg.Config):
    """How one model is fitted; everything but the threads is part of its identity."""

    seed: int = Field(default=0, description="Seed of every random draw of the fit.")
    context: str = Field(default="none", description="What the model sees of the past.")
    hyper_parameters: dict[str, Any] = Field(
        default={}, description="Overrides of the family's defaults."
    )
    threads: int = Field(default=1, description="Threads of the numerical library in this step.")
