"""A sentence for every column that the UI shows.

Not here: names and types (``schema.tables``).
Source: episode format, sections *The 46 channels* and *From rows to windows*.
"""

from typing import Final

import dagster as dg

from cis490_pipeline.schema.channels import CHANNELS, Channel, Kind, Source
from cis490_pipeline.schema.phases import PHASES
from cis490_pipeline.schema.tables import PROBABILITY_COLUMNS, TABLE_SCHEMAS, Table
from cis490_pipeline.schema.windows import Stat

_SOURCES: Final = {
    Source.PROC: "the emulator's process, seen from the host",
    Source.GUEST: "the guest's own counters",
    Source.QMP: "the emulator's monitor",
    Source.NETFLOW: "the guest's network link",
}
_UNITS: Final = {
    Kind.GAUGE: "as recorded",
    Kind.COUNTER: "per second, from a counter",
    Kind.DELTA: "per second, from counts per interval",
}
_STATISTICS: Final = {
    Stat.MEAN: "Mean",
    Stat.STD: "Standard deviation (population)",
    Stat.P50: "Median",
    Stat.P95: "95th percentile",
    Stat.SLOPE: "Least-squares slope per second",
    Stat.MISSING: "Share of the ticks without a value, 0 … 1,",
}
_WORDS: Final = {
    "episode_id": "The episode's id, made where it was recorded.",
    "host_id": "The host that recorded and shipped it; the domain of the shift.",
    "sha256": "Of the tarball as shipped.",
    "size_bytes": "Of the tarball, as the index says.",
    "status": "The gate's verdict: accepted, degraded, rejected, missing or error.",
    "reasons": "Why it is not accepted.",
    "soft_reasons": "Why it is degraded at most.",
    "profile": "What the sample does, as the recorder declared it.",
    "sample_name": "Which sample ran.",
    "sample_kind": "`control` where nothing malicious ran, else what kind of sample did.",
    "schema_version": "Of the episode format.",
    "duration_observed_s": "Seconds from the first to the last row, as declared.",
    "rows_proc": "Rows of telemetry-proc.jsonl, as declared.",
    "rows_guest": "Rows of telemetry-guest.jsonl, as declared.",
    "rows_qmp": "Rows of telemetry-qmp.jsonl, as declared.",
    "rows_netflow": "Rows of netflow.jsonl, as declared; null where it was not shipped.",
    "n_labels": "Rows of labels.jsonl.",
    "phases_observed": "The phases in their order, joined by commas.",
    "has_done_marker": "Whether the recorder came to its end.",
    "has_pcap": "Whether packets were captured.",
    "received_at_s": "When the receiver had it, seconds since 1970.",
    "code_commit": "Commit of the recorder.",
    "code_dirty": "Whether the recorder had changes that no commit has.",
    "file_size_bytes": "Of the file when it was read; a change lets it be read again.",
    "file_mtime_ns": "Of the file when it was read; a change lets it be read again.",
    "window": "Number of the window on the 5 s grid of its episode; gaps are possible.",
    "t_center_s": "The window's middle, seconds since the first label.",
    "phase": "The phase at the window's middle: "
    + ", ".join(f"{i} {phase.value}" for i, phase in enumerate(PHASES))
    + ".",
    "label_purity": "Share of the window's ticks that are in its phase.",
    "split": "The split that the model was fitted and scored on.",
    "family": "The model's family.",
    "mode": "Which channels it sees: realistic (25), oracle (46) or any (none).",
    "context": "What it sees of the past.",
    "seed": "Of every random draw of its fit.",
    "bundle": "Hash of the fitted model.",
    "role": "id_val or test.",
    "scored_at_s": "When the watching model scored it, seconds since 1970.",
    "n_windows": "Windows with a label.",
    "n_right": "Windows among them that were called right.",
    "onset_s": "When the infection began, seconds since the first label; null where none did.",
    "watched_s": "Seconds in which the alarm could have rung; null where the model has none.",
    "n_alarms": "Alarms raised; null where the model has none.",
    "clean_s": "Seconds before onset, labelled clean, in which it could have rung.",
    "n_false_alarms": "Alarms raised in those.",
    "first_alarm_s": "When it was first raised, seconds since the first label; null where never.",
    "detected_s": "When it was first raised for the infection; null where it never was.",
}


def column_schema(table: Table) -> dg.TableSchema:
    """Return a table's columns for the UI, each with a description."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(field.name, str(field.type), description=_DESCRIPTIONS[field.name])
            for field in TABLE_SCHEMAS[table]
        ]
    )


def _statistic(channel: Channel, stat: Stat) -> str:
    whose = "" if channel.realistic else "; not seen by a deployed detector"
    unit = f" ({_UNITS[channel.kind]})" if stat is not Stat.MISSING else ""
    return f"{_STATISTICS[stat]} of `{channel.name}`{unit}: {_SOURCES[channel.source]}{whose}."


_DESCRIPTIONS: Final = {
    **_WORDS,
    **{
        name: f"Probability of the phase {phase.value}."
        for name, phase in zip(PROBABILITY_COLUMNS, PHASES, strict=True)
    },
    **{f"{c.column}_{stat.value}": _statistic(c, stat) for c in CHANNELS for stat in Stat},
}
