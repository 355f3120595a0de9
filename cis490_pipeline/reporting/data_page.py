"""The data card as one self-contained HTML page: coverage, time, clocks, channels, damage.

No network; figures that are not tables have a table of their numbers below them.

Not here: gathering (``data_facts``), figures (``data_svg``), the layout (``data_card.html.j2``).
References: Gebru et al. 2021 (datasheets for datasets).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from markupsafe import Markup

from cis490_pipeline.quality.channels import ChannelState
from cis490_pipeline.quality.clocks import SourceClock
from cis490_pipeline.reporting.data_facts import PHASE_NAMES, DataFacts, HostFacts, Reception
from cis490_pipeline.reporting.data_svg import (
    LengthRow,
    Part,
    length_plot,
    stacked_bar,
    time_bars,
)
from cis490_pipeline.reporting.data_text import (
    NO_PROFILE,
    alerts_shown,
    clock_texts,
    data_sentence,
    duration,
    gap_sentences,
    moment,
    percent,
)
from cis490_pipeline.reporting.frame import figure
from cis490_pipeline.reporting.palette import (
    STATUS_COLOURS,
    phase_colour,
    status_colour,
)
from cis490_pipeline.reporting.templates import render_page
from cis490_pipeline.schema.channels import CHANNELS, N_CHANNELS, Source, channel_slice

_STRONG_SKEW_S: Final = 5.0
"""From which on a cell of the clocks has its full colour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageView:
    """One cell of the table host × profile: episodes, their bar by verdict, and what else."""

    n_episodes: int
    texts: tuple[str, ...]
    bar: Markup


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeView:
    """One host's episodes over time."""

    host_id: str
    counts: str
    plot: Markup


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseView:
    """One host's seconds by phase."""

    host_id: str
    total: str
    bar: Markup
    seconds: tuple[float, ...]
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatView:
    """One cell of a heat map: how strong its colour is (0 … 1), its text, a second line."""

    share: float
    text: str
    note: str


def render_data_page(facts: DataFacts, made: datetime) -> str:
    """Return the page."""
    filters = {"status_colour": status_colour, "phase_colour": phase_colour, "moment": moment}
    return render_page("data_card.html.j2", _context(facts, made), filters)


def _context(facts: DataFacts, made: datetime) -> dict[str, object]:
    hosts = [host.host_id for host in facts.hosts]
    measured = [host for host in facts.hosts if host.channels]
    present = {cell.status for cell in facts.cells}
    most = max(
        (facts.count(host_id=h, profile=p) for h in hosts for p in facts.profiles), default=0
    )
    return {
        "facts": facts,
        "sentence": data_sentence(facts),
        "made": made.astimezone(UTC).isoformat(timespec="seconds"),
        "hosts": hosts,
        "unknown": NO_PROFILE,
        "statuses": [status for status in STATUS_COLOURS if status in present],
        "gaps": gap_sentences(facts),
        "coverage": [
            (profile or NO_PROFILE, [_coverage(facts, host, profile, most) for host in hosts])
            for profile in facts.profiles
        ],
        "times": _times(facts),
        "step": duration(facts.receptions[0].step_s) if facts.receptions else "",
        "lengths": _lengths(facts.hosts),
        "phases": [_phases(host) for host in facts.hosts],
        "phase_names": [
            (position, name)
            for position, name in enumerate(PHASE_NAMES)
            if any(host.phase_s[position] for host in facts.hosts)
        ],
        "measured": [host.host_id for host in measured],
        "sources": [(source.value, _heat(measured, source)) for source in Source],
        "clocks": [(host.host_id, [_clock_cell(c) for c in host.clocks]) for host in facts.hosts],
        "alerts": alerts_shown(facts),
    }


def _coverage(facts: DataFacts, host: str, profile: str, most: int) -> CoverageView:
    parts = [
        (status, facts.count(host_id=host, profile=profile, status=status))
        for status in STATUS_COLOURS
    ]
    told = [f"{n} {status}" for status, n in parts if n]
    n_windows = sum(
        cell.n_windows for cell in facts.cells if (cell.host_id, cell.profile) == (host, profile)
    )
    texts = (f"{n_windows} windows", *_notes(parts), *_samples(facts, host, profile))
    return CoverageView(
        n_episodes=sum(n for _, n in parts),
        texts=texts,
        bar=stacked_bar(_status_parts(parts), whole=most, height=6, caption=", ".join(told)),
    )


def _notes(counts: Iterable[tuple[str, int]]) -> tuple[str, ...]:
    """Return the verdicts that are not plainly fine; where all are, the colour says it."""
    return tuple(f"{n} {status}" for status, n in counts if n and status != "accepted")


def _samples(facts: DataFacts, host: str, profile: str) -> tuple[str, ...]:
    """Return ``2 samples`` and their effective number where it is clearly smaller."""
    for one in facts.diversity:
        if (one.host_id, one.profile) == (host, profile):
            n = len(one.names)
            text = f"{n} sample{'' if n == 1 else 's'}"
            uneven = n - one.effective > 0.05
            return (f"{text}, effectively {one.effective:.1f}" if uneven else text,)
    return ()


def _status_parts(counts: Iterable[tuple[str, int]]) -> list[Part]:
    return [
        Part(name=f"{status}: {count}", value=count, colour=status_colour(status))
        for status, count in counts
    ]


def _times(facts: DataFacts) -> list[TimeView]:
    most = max(
        (sum(column) for one in facts.receptions for column in zip(*one.counts, strict=True)),
        default=0,
    )
    return [_time(facts, one, most) for one in facts.receptions]


def _time(facts: DataFacts, one: Reception, most: int) -> TimeView:
    order = [status for status in STATUS_COLOURS if status in one.statuses]
    lines = {status: one.counts[one.statuses.index(status)] for status in order}
    n_bins = len(one.counts[0])
    bins = [_status_parts((status, lines[status][i]) for status in order) for i in range(n_bins)]
    total = facts.count(host_id=one.host_id)
    told = ", ".join(
        f"{n} {status} ({percent(n / total)})"
        for status in order
        if (n := facts.count(host_id=one.host_id, status=status))
    )
    return TimeView(
        host_id=one.host_id,
        counts=told,
        plot=_time_figure(one, time_bars(bins, most=most, caption=_time_caption(one)), order),
    )


def _time_caption(one: Reception) -> str:
    return f"{one.host_id}: episodes received over time"


def _time_figure(one: Reception, drawing: Markup, order: Sequence[str]) -> Markup:
    lines = [one.counts[one.statuses.index(status)] for status in order]
    return figure(
        drawing,
        caption=_time_caption(one),
        head=("from", *order),
        rows=[
            (moment(one.first_s + i * one.step_s), *map(str, column))
            for i, column in enumerate(zip(*lines, strict=True))
        ],
        ends=(moment(one.first_s), moment(one.first_s + len(lines[0]) * one.step_s)),
    )


def _lengths(hosts: Sequence[HostFacts]) -> Markup | None:
    rows = [
        LengthRow(name=host.host_id, quartiles=(q[0], q[1], q[2], q[3], q[4]))
        for host in hosts
        if (q := host.lengths_s)
    ]
    if not rows:
        return None
    caption = "length of the episodes by host, seconds"
    return figure(
        length_plot(rows, caption=caption),
        caption=caption,
        head=("host", "shortest", "first quartile", "median", "third quartile", "longest"),
        rows=[(row.name, *(f"{value:.1f}" for value in row.quartiles)) for row in rows],
    )


def _phases(host: HostFacts) -> PhaseView:
    total = sum(host.phase_s)
    parts = [
        Part(name=f"{name}: {duration(seconds)}", value=seconds, colour=phase_colour(name))
        for name, seconds in zip(PHASE_NAMES, host.phase_s, strict=True)
    ]
    return PhaseView(
        host_id=host.host_id,
        total=duration(total),
        seconds=host.phase_s,
        bar=stacked_bar(
            parts, whole=total, height=14, caption=f"{host.host_id}: time in each phase"
        ),
        texts=tuple(
            f"{duration(seconds)} ({percent(seconds / total)})" if seconds and total else "–"
            for seconds in host.phase_s
        ),
    )


def _heat(hosts: Sequence[HostFacts], source: Source) -> list[tuple[str, list[HeatView]]]:
    columns = range(*channel_slice(source).indices(N_CHANNELS))
    return [
        (CHANNELS[column].name, [_heat_cell(host.channels[column]) for host in hosts])
        for column in columns
    ]


def _heat_cell(state: ChannelState) -> HeatView:
    share = state.missing_share
    note = ""
    if state.n_absent == state.n_episodes:
        note = "absent"
    elif state.never_moves:
        note = "constant"
    return HeatView(share=round(share, 3), text=percent(share), note=note)


def _clock_cell(clock: SourceClock) -> HeatView:
    late, early = clock_texts(clock)
    off_s = max(clock.median_start_s or 0.0, clock.median_end_s or 0.0)
    if clock.median_start_s is None:
        return HeatView(share=0.0, text="–", note="")
    return HeatView(
        share=round(min(1.0, off_s / _STRONG_SKEW_S), 3), text=f"late {late}", note=f"early {early}"
    )
