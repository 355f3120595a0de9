"""The section of a report that says how far the test hosts' telemetry lies from the training data.

Not here: the figures (``evaluation.drift``), the drawing (``heat_map``).
"""

from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from cis490_pipeline.evaluation.drift import (
    SIGNIFICANT,
    ChannelDrift,
    DriftRole,
    HostDrift,
    most_drifted,
)
from cis490_pipeline.evaluation.drift_on_split import Drift
from cis490_pipeline.reporting.frame import figure
from cis490_pipeline.reporting.heat_map import Grid, draw_grid
from cis490_pipeline.reporting.templates import render_page
from cis490_pipeline.reporting.text import (
    UNTESTED,
    markdown_table,
    markdown_text,
    number,
    p_value,
)
from cis490_pipeline.schema.channels import CHANNELS

TOP_CHANNELS: Final = 8
NOT_MEASURED: Final = "Drift was not measured."
LEAD: Final = (
    "Kolmogorov-Smirnov distance of a channel's episode means from those of the training "
    "episodes: 0 the same, 1 disjoint. Without labels or models. A difference between hosts "
    "includes that of the profiles that ran on them; small samples differ by chance alone, so "
    f"drifted means p (Holm over the channels) of at most {SIGNIFICANT:g}."
)
_WHAT: Final = {
    DriftRole.TEST: "test host",
    DriftRole.ID_VAL: "id_val, yardstick",
    DriftRole.TRAIN: "training host against the others, yardstick",
}
_COLOUR: Final = "#d0672a"


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftRow:
    """One host as a line of the table; all cells are text."""

    name: str
    what: str
    episodes: str
    reference: str
    drifted: str
    largest: str


def drift_section(drift: Drift | None) -> Markup:
    """Return the section as HTML: the table of hosts and the map channel × host."""
    reason = _reason(drift)
    hosts = () if drift is None else drift.hosts
    context = {
        "lead": LEAD,
        "reason": reason,
        "rows": [] if reason else [drift_row(host) for host in hosts],
        "figure": None if reason else _map(hosts),
    }
    page = render_page("drift.html.j2", context, {})
    return Markup(page)  # noqa: S704 - rendered with autoescape


def drift_markdown(drift: Drift | None) -> list[str]:
    """Return the section's lines in Markdown: hosts, and each test host's strongest channels."""
    reason = _reason(drift)
    if drift is None or reason is not None:
        return [markdown_text(reason or NOT_MEASURED)]
    head = ("host", "what", "episodes", "against", "channels drifted", "largest distances")
    rows = [
        (row.name, row.what, row.episodes, row.reference, row.drifted, row.largest)
        for row in map(drift_row, drift.hosts)
    ]
    lines = [markdown_text(LEAD), "", *markdown_table(head, rows)]
    for host in drift.hosts:
        if host.role is DriftRole.TEST:
            lines += ["", f"Channels of {markdown_text(host.host)}:", "", *_channels(host)]
    return lines


def _reason(drift: Drift | None) -> str | None:
    return NOT_MEASURED if drift is None else drift.reason


def drift_row(host: HostDrift) -> DriftRow:
    """Return a host's line; without figures it gives the reason."""
    known = [one for one in host.channels if one.ks is not None]
    named = (f"{one.channel} {number(one.ks)}" for one in most_drifted(host, 3))
    n_drifted = sum(one.drifted for one in known)
    return DriftRow(
        name=host.host,
        what=_WHAT[host.role],
        episodes=str(host.n_episodes),
        reference=str(host.n_reference),
        drifted=f"{n_drifted} of {len(known)}" if known else UNTESTED,
        largest=host.reason or ", ".join(named) or "no channel has values on both sides",
    )


def _channels(host: HostDrift) -> list[str]:
    """Return the strongest channels, and every one that has no distance."""
    silent = [one for one in host.channels if one.ks is None]
    head = ("channel", "KS", "p (Holm)", "distance / IQR", "missing", "in training", "episodes")
    return markdown_table(
        head, [_channel(one) for one in (*most_drifted(host, TOP_CHANNELS), *silent)]
    )


def _channel(one: ChannelDrift) -> tuple[str, ...]:
    return (
        one.channel,
        number(one.ks),
        p_value(one.p_holm),
        number(one.distance_iqr) if one.reason is None else f"{UNTESTED}: {one.reason}",
        f"{100 * one.missing:.0f} %",
        f"{100 * one.reference_missing:.0f} %",
        f"{one.n_episodes} and {one.n_reference}",
    )


def _map(hosts: tuple[HostDrift, ...]) -> Markup:
    """Draw all channels, those that drifted most on the test hosts first."""
    totals = [
        sum(host.channels[c].ks or 0.0 for host in hosts if _is_tested(host))
        for c in range(len(CHANNELS))
    ]
    order = sorted(range(len(CHANNELS)), key=lambda c: (-totals[c], c))
    cells = [tuple(host.channels[c].ks if host.channels else None for host in hosts) for c in order]
    grid = Grid(
        rows=tuple(CHANNELS[c].column for c in order),
        columns=tuple(
            host.host if host.role is DriftRole.TEST else f"{host.host} {host.role.value}"
            for host in hosts
        ),
        cells=tuple(cells),
        fullest=1.0,
        colour=_COLOUR,
        corner="channel ↓ host →",
        unit="KS distance",
        untested=tuple(i for i, host in enumerate(hosts) if not host.channels),
    )
    caption = "drift of episode means, channel × host"
    return figure(
        draw_grid(grid, caption=caption),
        caption=caption,
        head=("channel", *grid.columns),
        rows=[(name, *map(number, row)) for name, row in zip(grid.rows, grid.cells, strict=True)],
    )


def _is_tested(host: HostDrift) -> bool:
    return host.role is DriftRole.TEST and bool(host.channels)
