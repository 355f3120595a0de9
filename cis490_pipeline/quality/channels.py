"""Channels that a host does not have, or that never move in it.

Judged over the newest episodes, so that a sensor that fell silent last week is found though it
spoke for a year.

Shape suffixes: E episodes, C channels (46).

Not here: when a whole source begins or ends (``clocks``).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cis490_pipeline.quality.config import QualityConfig
from cis490_pipeline.quality.findings import CheckOutcome, Finding
from cis490_pipeline.quality.history import newest_held
from cis490_pipeline.schema.channels import CHANNELS, Channel, Source, channels_of
from cis490_pipeline.schema.tables import Table
from cis490_pipeline.schema.windows import Stat
from cis490_pipeline.warehouse.tables import Tables
from cis490_pipeline.warehouse.warehouse import Warehouse


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelState:
    """One channel over some episodes of one host.

    Attributes
    ----------
    n_episodes, n_absent, n_constant
        All; those without any value; those with values that never change.
    missing_share
        Mean over the episodes of the share of ticks without a value, 0 … 1.
    """

    channel: Channel
    n_episodes: int
    n_absent: int
    n_constant: int
    missing_share: float

    @property
    def never_moves(self) -> bool:
        """It has values, and is constant in every episode that has any."""
        present = self.n_episodes - self.n_absent
        return present > 0 and self.n_constant == present


def channel_states(
    missing_EC: NDArray[np.float32], std_EC: NDArray[np.float32]
) -> tuple[ChannelState, ...]:
    """Sum up per-episode statistics, in channel order; empty where there is no episode.

    Parameters
    ----------
    missing_EC, std_EC
        Share of missing ticks, and standard deviation (NaN where no tick is present).
    """
    if not len(missing_EC):
        return ()
    absent_C = (missing_EC >= 1.0).sum(axis=0)
    constant_C = (std_EC == 0.0).sum(axis=0)
    missing_C = missing_EC.mean(axis=0, dtype=np.float64)
    return tuple(
        ChannelState(
            channel=channel,
            n_episodes=len(missing_EC),
            n_absent=int(absent_C[c]),
            n_constant=int(constant_C[c]),
            missing_share=float(missing_C[c]),
        )
        for c, channel in enumerate(CHANNELS)
    )


def read_channel_states(tables: Tables, where: pc.Expression) -> tuple[ChannelState, ...]:
    """Sum up the rows of ``episode_features`` that an expression selects."""
    missing = [f"{channel.column}_{Stat.MISSING.value}" for channel in CHANNELS]
    spread = [f"{channel.column}_{Stat.STD.value}" for channel in CHANNELS]
    rows = tables.read(Table.EPISODE_FEATURES, columns=[*missing, *spread], where=where)
    return channel_states(_matrix(rows, missing), _matrix(rows, spread))


def _matrix(rows: pa.Table, names: Sequence[str]) -> NDArray[np.float32]:
    matrix_EC = np.empty((rows.num_rows, len(names)), dtype=np.float32)
    for column, name in enumerate(names):
        matrix_EC[:, column] = rows[name].combine_chunks().to_numpy(zero_copy_only=False)
    return matrix_EC


def channel_findings(states: Sequence[ChannelState], config: QualityConfig) -> tuple[Finding, ...]:
    """Return absent channels (a whole source in one finding) and channels that never move."""
    if not states or states[0].n_episodes < config.min_episodes:
        return ()
    absent = [s for s in states if s.n_absent >= config.absent_share * s.n_episodes]
    found = [
        finding
        for source in Source
        for finding in _absent([s for s in absent if s.channel.source is source], source)
    ]
    quiet = [s for s in states if s.never_moves and s not in absent]
    loud = [s for s in quiet if s.channel.column not in config.may_be_constant]
    return (*found, *(_constant(state) for state in loud))


def _absent(absent: Sequence[ChannelState], source: Source) -> list[Finding]:
    if len(absent) == len(channels_of(source)):
        most = min(state.n_absent for state in absent)
        return [
            _absence(source.value, f"all {len(absent)} channels of {source.value}", most, absent)
        ]
    return [
        _absence(state.channel.column, state.channel.column, state.n_absent, absent)
        for state in absent
    ]


def _absence(subject: str, what: str, n_absent: int, absent: Sequence[ChannelState]) -> Finding:
    return Finding(
        symptom="channel-absent",
        subject=subject,
        detail=f"{what}: no value in {n_absent} of the newest {absent[0].n_episodes} episodes",
        suggested_fix="look for the key in the telemetry rows of one of these episodes; a model "
        "trained elsewhere leans on a channel that this host does not have",
    )


def _constant(state: ChannelState) -> Finding:
    return Finding(
        symptom="channel-constant",
        subject=state.channel.column,
        detail=f"{state.channel.column} never moves in any of the {state.n_constant} newest "
        "episodes that have it",
        suggested_fix="check the sensor; where the machine really never changes it, add the "
        "channel to may_be_constant in quality.toml",
    )


def check_channels(warehouse: Warehouse, host_id: str, config: QualityConfig) -> CheckOutcome:
    """Look for absent and constant channels in a host's newest episodes."""
    held = newest_held(warehouse.tables, host_id, config.recent_episodes)
    ids = pa.array([one.episode_id for one in held], pa.string())
    states = read_channel_states(warehouse.tables, pc.field("episode_id").isin(ids))
    notable = [s for s in states if s.never_moves or s.n_absent]
    return CheckOutcome(
        findings=channel_findings(states, config),
        looked_at=f"the newest {len(held)} accepted or degraded episodes",
        head=("channel", "without a value", "constant", "missing ticks"),
        rows=tuple(
            (s.channel.column, str(s.n_absent), str(s.n_constant), f"{s.missing_share:.1%}")
            for s in notable
        ),
    )
