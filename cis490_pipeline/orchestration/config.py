"""What the launchpad shows: Dagster configuration that converts to the domain's dataclasses.

Not here: where things are (``resources``), defaults that change a number (the dataclasses).
"""

from dataclasses import replace
from typing import Any

import dagster as dg
from pydantic import Field

from cis490_pipeline.edge.alarm import AlarmPolicy
from cis490_pipeline.errors import ConfigurationError
from cis490_pipeline.explain.result import ExplainOptions
from cis490_pipeline.models.classifier import FamilySpec
from cis490_pipeline.schema.channels import Mode
from cis490_pipeline.schema.context import Context
from cis490_pipeline.splits.config import SplitConfig
from cis490_pipeline.training.alarm import alarm_policy
from cis490_pipeline.training.on_split import FitOptions


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


class ExplainConfig(dg.Config):
    """How many windows are explained."""

    windows_per_phase: int = Field(
        default=ExplainOptions().windows_per_phase,
        ge=1,
        description="About so many windows of each phase, of id_val and of the test set.",
    )
    threads: int = Field(default=1, description="Threads of the numerical library in this step.")

    def to_options(self) -> ExplainOptions:
        """Return the domain's parameters."""
        return ExplainOptions(windows_per_phase=self.windows_per_phase)


class ShadowConfig(dg.Config):
    """Who watches what arrives."""

    model: str = Field(
        default="",
        description="A model of split deploy, such as gbt/realistic/recent. Empty: the one that "
        "id_val recommends.",
    )
    threads: int = Field(default=1, description="Threads of the numerical library in this step.")


class PretrainingConfig(dg.Config):
    """What is fitted how often; everything but the threads is part of an identity."""

    seeds: list[int] = Field(
        default=[0],
        description="Seeds of every random draw; a fit of its own for each, all of them scored.",
    )
    contexts: list[str] = Field(
        default=["none", "recent"],
        description="What the models see of the past; one model for each that the family has.",
    )
    hyper_parameters: dict[str, Any] = Field(
        default={}, description="Overrides of the family's defaults."
    )
    threads: int = Field(default=1, description="Threads of the numerical library in this step.")

    def to_fit_options(self, spec: FamilySpec, mode: Mode) -> tuple[FitOptions, ...]:
        """Return one fit for each context and seed.

        A family that has none of the contexts is fitted without one.

        Raises
        ------
        ConfigurationError
            Where no seed is given, or one of them twice.
        """
        if not self.seeds or len(set(self.seeds)) != len(self.seeds):
            raise ConfigurationError(
                "seeds are not distinct numbers",
                where="seeds",
                expected="at least one, none of them twice",
                found=str(self.seeds),
                todo="correct the list",
            )
        for name in self.contexts:
            Context(name)  # a word that is no context must not pass as a family's missing one
        chosen = [context for context in spec.contexts if context.value in self.contexts]
        return tuple(
            FitOptions(
                family=spec.name,
                mode=mode,
                context=context,
                seed=seed,
                overrides=self.hyper_parameters,
                threads=self.threads,
            )
            for context in chosen or spec.contexts[:1]
            for seed in self.seeds
        )


class ModelConfig(PretrainingConfig):
    """How an asset's models are fitted."""

    phase_filter: bool | None = Field(
        default=None, description="Weigh what can follow what; default: where there is a context."
    )
    search: bool = Field(
        default=False,
        description="Try the family's declared grid and take what is best on id_val; takes as many "
        "fits as the grid has combinations.",
    )
    alarm: str = Field(
        default="2/3", description="The alarm rings at so many positive windows among so many."
    )
    alarm_budget: float = Field(
        default=AlarmPolicy().budget,
        description="Share of the id_val episodes that may raise a false alarm.",
    )

    def to_fit_options(self, spec: FamilySpec, mode: Mode) -> tuple[FitOptions, ...]:
        """Return one fit for each context and seed, as ``PretrainingConfig``."""
        plain = super().to_fit_options(spec, mode)
        alarm = alarm_policy(self.alarm, self.alarm_budget)
        return tuple(
            replace(one, phase_filter=self.phase_filter, search=self.search, alarm=alarm)
            for one in plain
        )
