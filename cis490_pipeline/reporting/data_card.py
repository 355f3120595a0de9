"""The data card as ``data_card.md``: the page's tables for a terminal or the Dagster UI.

Not here: the page (``data_page``), gathering (``data_facts``).
"""

from collections.abc import Iterable, Sequence

from cis490_pipeline.reporting.data_facts import PHASE_NAMES, DataFacts
from cis490_pipeline.reporting.data_text import (
    NO_PROFILE,
    alerts_shown,
    clock_texts,
    data_sentence,
    duration,
    gap_sentences,
)
from cis490_pipeline.reporting.palette import STATUS_COLOURS
from cis490_pipeline.reporting.text import markdown_table, markdown_text
from cis490_pipeline.schema.channels import CHANNELS


def render_data_card(facts: DataFacts) -> str:
    """Return the card as Markdown."""
    sections = [
        ["# Data", "", markdown_text(f"{data_sentence(facts)}."), "", *_gaps(facts)],
        ["## What the checks say", "", *_findings(facts)],
        ["## Episodes by host and profile", "", *_matrix(facts)],
        ["## By host and status", "", *_statuses(facts)],
        ["## Samples", "", *_samples(facts)],
        ["## Length and phases", "", *_lengths(facts), "", *_phases(facts)],
        ["## Channels that are absent, constant or often missing", "", *_channels(facts)],
        [f"## Clocks in the newest {facts.newest} episodes", "", *_clocks(facts)],
        [f"## Recorder in the newest {facts.newest} episodes", "", *_versions(facts)],
        ["## Damage of the index", "", *_counts(facts.damage)],
        ["## Why episodes were degraded or rejected", "", *_reasons(facts)],
        ["## Alerts of the store", "", *_alerts(facts)],
        [f"Feature schema `{facts.schema_fingerprint[:12]}`."],
    ]
    return "\n\n".join("\n".join(lines) for lines in sections) + "\n"


def coverage_table(facts: DataFacts) -> str:
    """Return the table of hosts and profiles alone, for places that have room for one table."""
    return "\n".join(_matrix(facts))


def _table_or_none(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    found = list(rows)
    return markdown_table(head, found) if found else ["None."]


def _gaps(facts: DataFacts) -> list[str]:
    return [
        f"- {markdown_text(one)}: a model tested on it says nothing about that."
        for one in gap_sentences(facts)
    ]


def _findings(facts: DataFacts) -> list[str]:
    rows = (
        [host.host_id, one.symptom, one.subject, one.detail, one.suggested_fix]
        for host in facts.hosts
        for one in host.findings
    )
    return _table_or_none(["host", "symptom", "what", "seen", "what to do"], rows)


def _matrix(facts: DataFacts) -> list[str]:
    rows = (
        [host.host_id, *(_cell(facts, host.host_id, profile) for profile in facts.profiles)]
        for host in facts.hosts
    )
    return _table_or_none(["host", *(p or NO_PROFILE for p in facts.profiles)], rows)


def _cell(facts: DataFacts, host: str, profile: str) -> str:
    """Return a cell as ``7 (5 accepted, 2 degraded)``, a dash where there is no episode."""
    counts = [
        (status, facts.count(host_id=host, profile=profile, status=status))
        for status in STATUS_COLOURS
    ]
    told = ", ".join(f"{n} {status}" for status, n in counts if n)
    return f"{sum(n for _, n in counts)} ({told})" if told else "–"


def _statuses(facts: DataFacts) -> list[str]:
    present = [status for status in STATUS_COLOURS if facts.count(status=status)]
    rows = (
        [
            host.host_id,
            *(str(facts.count(host_id=host.host_id, status=status)) for status in present),
        ]
        for host in facts.hosts
    )
    return _table_or_none(["host", *present], rows)


def _samples(facts: DataFacts) -> list[str]:
    rows = (
        [
            one.host_id,
            one.profile or NO_PROFILE,
            str(one.n_episodes),
            str(len(one.names)),
            f"{one.effective:.1f}",
        ]
        for one in facts.diversity
    )
    return _table_or_none(["host", "profile", "episodes", "names", "effective number"], rows)


def _lengths(facts: DataFacts) -> list[str]:
    rows = (
        [host.host_id, *(f"{seconds:.0f} s" for seconds in host.lengths_s)]
        for host in facts.hosts
        if host.lengths_s
    )
    head = ["host", "shortest", "first quartile", "median", "third quartile", "longest"]
    return _table_or_none(head, rows)


def _phases(facts: DataFacts) -> list[str]:
    rows = (
        [host.host_id, *(duration(seconds) if seconds else "–" for seconds in host.phase_s)]
        for host in facts.hosts
    )
    return _table_or_none(["host", *PHASE_NAMES], rows)


def _channels(facts: DataFacts) -> list[str]:
    """Return the channels of which a twentieth is missing, or that never move, on some host."""
    measured = [host for host in facts.hosts if host.channels]
    rows: list[list[str]] = []
    for position, channel in enumerate(CHANNELS):
        states = [host.channels[position] for host in measured]
        if any(s.never_moves or s.missing_share > 0.05 for s in states):
            told = [f"{s.missing_share:.0%}{', constant' if s.never_moves else ''}" for s in states]
            rows.append([channel.column, *told])
    return _table_or_none(["missing share", *(host.host_id for host in measured)], rows)


def _clocks(facts: DataFacts) -> list[str]:
    rows = (
        [host.host_id, one.source.value, str(one.n_episodes), *clock_texts(one)]
        for host in facts.hosts
        for one in host.clocks
    )
    head = ["host", "source", "episodes", "begins late: median (worst)", "ends early: the same"]
    return _table_or_none(head, rows)


def _versions(facts: DataFacts) -> list[str]:
    rows = (
        [host.host_id, one.commit[:12], str(one.n_episodes), str(one.n_dirty)]
        for host in facts.hosts
        for one in host.versions
    )
    return _table_or_none(["host", "commit", "episodes", "with local changes"], rows)


def _counts(pairs: Sequence[tuple[str, int]]) -> list[str]:
    return _table_or_none(["what", "count"], ([name, str(n)] for name, n in pairs if n))


def _reasons(facts: DataFacts) -> list[str]:
    rows = ([name, *map(str, counts)] for name, counts in facts.reasons)
    return _table_or_none(["reason", *(host.host_id for host in facts.hosts)], rows)


def _alerts(facts: DataFacts) -> list[str]:
    rows = (
        [one.detected_at_wall, one.host, one.symptom, one.detail] for one in alerts_shown(facts)
    )
    lines = _table_or_none(["when", "host", "symptom", "detail"], rows)
    if facts.alerts.n_damaged:
        lines += ["", f"{facts.alerts.n_damaged} damaged lines of alerts.jsonl."]
    return [f"{len(facts.alerts.alerts)} so far.", "", *lines] if facts.alerts.alerts else lines
