"""The heat map of test hosts × profiles: a table whose cells are shaded by their macro F1.

Not here: the figures (``evaluation.host_profiles``).
"""

from collections.abc import Iterator

from markupsafe import Markup

from cis490_pipeline.evaluation.host_profiles import HostProfileScore
from cis490_pipeline.reporting.palette import family_colour
from cis490_pipeline.reporting.report import Report
from cis490_pipeline.reporting.text import (
    UNTESTED,
    bounds,
    html_text,
    markdown_table,
    number,
    number_or_dash,
    scored,
)


def host_profile_html(report: Report) -> Markup:
    """Return the table, a row for each host and shown model."""
    heads = Markup("").join(
        Markup("<th>{}</th>").format(_named(name)) for name in _profiles(report)
    )
    return Markup(
        '<div class="scroll"><table class="heat scores"><thead><tr><th>model</th>'
        '<th class="left">host</th>{}</tr></thead><tbody>\n{}\n</tbody></table></div>'
    ).format(heads, Markup("\n").join(_rows(report)))


def host_profile_markdown(report: Report) -> list[str]:
    """Return the table's lines."""
    rows = [
        [report.configured(one.key), host or "(none)", *(_plain(cell) for cell in cells)]
        for one in report.shown()
        for host, cells in _by_host(report.evaluation(one.key).host_profiles)
    ]
    return markdown_table(["model", "host", *(p or "(none)" for p in _profiles(report))], rows)


def _profiles(report: Report) -> list[str]:
    return sorted({cell.profile for cell in report.evaluations[0].host_profiles})


def _named(profile: str) -> Markup:
    return html_text(profile or "(none)")


def _by_host(
    cells: tuple[HostProfileScore, ...],
) -> Iterator[tuple[str, list[HostProfileScore]]]:
    for host in sorted({cell.host_id for cell in cells}):
        yield host, [cell for cell in cells if cell.host_id == host]


def _rows(report: Report) -> Iterator[Markup]:
    for one in report.shown():
        colour = family_colour(one.key.family)
        for host, cells in _by_host(report.evaluation(one.key).host_profiles):
            yield Markup(
                '<tr><th scope="row"><span class="dot" style="background:{}"></span>{}</th>'
                '<td class="left">{}</td>{}</tr>'
            ).format(
                colour,
                html_text(report.configured(one.key)),
                html_text(host or "(none)"),
                Markup("").join(_cell(cell, colour) for cell in cells),
            )


def _cell(cell: HostProfileScore, colour: str) -> Markup:
    if cell.macro_f1 is None or cell.macro_f1.point is None:
        return Markup('<td class="untested" title="{}">{}</td>').format(
            html_text(cell.reason or ""), UNTESTED
        )
    told = (
        f"{cell.profile} on {cell.host_id}: accuracy {number_or_dash(cell.accuracy)}, "
        f"{cell.n_windows} windows; phases {', '.join(cell.phases)}"
    )
    if cell.macro_f1.reason:
        told += f"; {cell.macro_f1.reason}"
    return Markup(
        '<td style="--share:{};--tone:{}" title="{}">{}<span class="range">{}</span>'
        '<span class="range">{}</span></td>'
    ).format(
        f"{cell.macro_f1.point:.3f}",
        colour,
        html_text(told),
        number(cell.macro_f1.point),
        bounds(cell.macro_f1),
        _episodes(cell),
    )


def _plain(cell: HostProfileScore) -> str:
    if cell.macro_f1 is None:
        return UNTESTED
    return f"{scored(cell.macro_f1)}, {_episodes(cell)}"


def _episodes(cell: HostProfileScore) -> str:
    return f"{cell.n_episodes} episode{'' if cell.n_episodes == 1 else 's'}"
