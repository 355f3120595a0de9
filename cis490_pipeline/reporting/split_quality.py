"""How good the data of a split's hosts is: verdicts of the gate, and the commonest reasons.

Not here: the data card with all of it (``data_page``), the gate itself (``validation``).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from cis490_pipeline.evaluation.scores import TestScope
from cis490_pipeline.reporting.data_svg import Part, stacked_bar
from cis490_pipeline.reporting.data_text import percent
from cis490_pipeline.reporting.palette import STATUS_COLOURS, status_colour
from cis490_pipeline.reporting.text import html_text, markdown_table
from cis490_pipeline.validation.record import ValidationRow
from cis490_pipeline.validation.summary import summarize

_REASONS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class HostQuality:
    """One host; ``counts`` are (verdict, episodes), ``reasons`` (reason, episodes)."""

    host_id: str
    part: str
    n_episodes: int
    counts: tuple[tuple[str, int], ...]
    reasons: tuple[tuple[str, int], ...]


def split_quality(rows: Sequence[ValidationRow], scope: TestScope) -> tuple[HostQuality, ...]:
    """Count the verdicts of the hosts that train or test."""
    hosts = sorted({*scope.train_hosts, *scope.test_hosts})
    return tuple(_host(host, [row for row in rows if row.host_id == host], scope) for host in hosts)


def _host(host: str, rows: Sequence[ValidationRow], scope: TestScope) -> HostQuality:
    counted = Counter(row.status for row in rows)
    parts = [
        name
        for name, hosts in (("trains", scope.train_hosts), ("tests", scope.test_hosts))
        if host in hosts
    ]
    return HostQuality(
        host_id=host,
        part=" and ".join(parts),
        n_episodes=len(rows),
        counts=tuple((status, counted[status]) for status in STATUS_COLOURS),
        reasons=tuple(summarize(rows, ()).top_reasons[:_REASONS]),
    )


def quality_html(hosts: Sequence[HostQuality]) -> Markup:
    """Return the table, a row for each host."""
    if not hosts:
        return Markup('<p class="lead">Nothing is known of the verdicts.</p>')
    heads = Markup("").join(Markup("<th>{}</th>").format(status) for status in STATUS_COLOURS)
    return Markup(
        '<div class="scroll"><table><thead><tr><th>host</th><th class="left">here it</th>'
        '<th>episodes</th>{}<th class="left">share</th><th class="left">commonest reasons</th>'
        "</tr></thead><tbody>\n{}\n</tbody></table></div>"
    ).format(heads, Markup("\n").join(_row(host) for host in hosts))


def _row(host: HostQuality) -> Markup:
    counts = Markup("").join(Markup("<td>{}</td>").format(n) for _, n in host.counts)
    parts = [
        Part(name=f"{status}: {n}", value=n, colour=status_colour(status))
        for status, n in host.counts
    ]
    bar = stacked_bar(parts, whole=host.n_episodes, height=12, caption=_shares(host))
    return Markup(
        '<tr><th scope="row">{}</th><td class="left">{}</td><td>{}</td>{}'
        '<td class="left bar">{}</td><td class="left wrap">{}</td></tr>'
    ).format(
        html_text(host.host_id),
        host.part,
        host.n_episodes,
        counts,
        bar,
        html_text(_reasons(host)),
    )


def quality_markdown(hosts: Sequence[HostQuality]) -> list[str]:
    """Return the table's lines."""
    if not hosts:
        return ["Nothing is known of the verdicts."]
    rows = [
        [host.host_id, host.part, *(str(n) for _, n in host.counts), _reasons(host)]
        for host in hosts
    ]
    return markdown_table(["host", "here it", *STATUS_COLOURS, "commonest reasons"], rows)


def _shares(host: HostQuality) -> str:
    return ", ".join(f"{status} {percent(n / host.n_episodes)}" for status, n in host.counts if n)


def _reasons(host: HostQuality) -> str:
    return ", ".join(f"{name} {n}" for name, n in host.reasons) or "none"
