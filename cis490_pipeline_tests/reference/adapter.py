"""From the reference's parsed rows to the package's ``Episode``, and made-up episodes for both."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from cis490_pipeline.episodes.episode import Episode, Label, Telemetry
from cis490_pipeline.schema.channels import Source, channels_of
from cis490_pipeline_tests.reference.archive import RawEpisode, Row
from cis490_pipeline_tests.reference.channel_table import SOURCES
from cis490_pipeline_tests.reference.grid import value

T0_NS: Final = 1_760_000_000_000_000_000
CLEAN: Final = ((0.0, "clean"),)


def to_episode(raw: RawEpisode) -> Episode:
    """The values as they stand in the file, in file order; nothing is interpreted."""
    return Episode(
        present=raw.names,
        has_pcap="network.pcap" in raw.names,
        meta=None,
        labels=tuple(_label(row) for row in raw.labels),
        telemetry={source: _telemetry(source, raw.rows[source.value]) for source in Source},
    )


def _label(row: Row) -> Label:
    return Label(
        t_wall_ns=row["t_wall_ns"],
        t_mono_ns=row.get("t_mono_ns"),
        phase=row.get("phase"),
        prev=row.get("prev"),
    )


def _telemetry(source: Source, rows: list[Row]) -> Telemetry:
    channels = channels_of(source)
    values = [[value(row.get(channel.name)) for channel in channels] for row in rows]
    return Telemetry(
        t_wall_ns=np.array([row["t_wall_ns"] for row in rows], dtype=np.int64),
        values=np.array(values, dtype=np.float64).reshape(len(rows), len(channels)),
    )


def raw_episode(
    labels: Sequence[tuple[float, object]] = CLEAN, **rows: Sequence[Row]
) -> RawEpisode:
    """Make an episode: labels as (seconds, phase), rows with ``t`` (seconds) as their time."""
    return RawEpisode(
        labels=[{"t_wall_ns": at(seconds), "phase": phase} for seconds, phase in labels],
        rows={source: [_timed(row) for row in rows.get(source, [])] for source in SOURCES},
        meta={},
        names=frozenset(),
    )


def at(seconds: float) -> int:
    """Wall time of an instant of a made-up episode."""
    return T0_NS + round(seconds * 1e9)


def _timed(row: Row) -> Row:
    return {**{key: item for key, item in row.items() if key != "t"}, "t_wall_ns": at(row["t"])}
