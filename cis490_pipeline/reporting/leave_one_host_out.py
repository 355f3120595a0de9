"""The leave-one-host-out page: every host's point, then what summarises them.

Not here: the figures (``evaluation.leave_one_host_out``), the files (``publish_folds``).
"""

from cis490_pipeline.evaluation.keys import ELAPSED_TIME, FIRST_CHOICE
from cis490_pipeline.evaluation.leave_one_host_out import LeaveOneHostOut, PooledModel
from cis490_pipeline.reporting.plain_tables import PlainTable, tables_markdown, tables_section
from cis490_pipeline.reporting.templates import render_page
from cis490_pipeline.reporting.text import UNTESTED, markdown_text, number, scored


def folds_headline(found: LeaveOneHostOut) -> str:
    """Return the view in one line: the points of each host, never a mean alone.

    Of the family of first choice and of the clock, both named beforehand: to pick the best here
    would be to choose on test sets.
    """
    named = [one for one in found.models if one.key.family in (FIRST_CHOICE, ELAPSED_TIME)]
    start = f"leave one host out over {', '.join(found.hosts)}"
    if not named:
        return f"{start}: neither {FIRST_CHOICE} nor {ELAPSED_TIME} was tested"
    return f"{start}: {'; '.join(_in_words(one) for one in named)}"


def _in_words(one: PooledModel) -> str:
    points = ", ".join(f"{point.host} {number(point.macro_f1.point)}" for point in one.hosts)
    missing = f", {', '.join(one.missing)} {UNTESTED}" if one.missing else ""
    seed = f" seed {one.key.seed}" if one.key.seed else ""
    return f"{one.key.label}{seed} {points}{missing}"


def folds_html(found: LeaveOneHostOut) -> str:
    """Return the page, self-contained."""
    context = {
        "hosts": found.hosts,
        "cautions": found.cautions,
        "tables": tables_section(folds_tables(found)),
    }
    return render_page("leave_one_host_out.html.j2", context, {})


def folds_markdown(found: LeaveOneHostOut) -> str:
    """Return the same as Markdown."""
    head = ["# Leave one host out", "", *(f"> {markdown_text(one)}" for one in found.cautions)]
    sections = [head, *tables_markdown(folds_tables(found))]
    return "\n\n".join("\n".join(lines) for lines in sections) + "\n"


def folds_tables(found: LeaveOneHostOut) -> tuple[PlainTable, ...]:
    """Return the table of points and the table of summaries, models by name."""
    return (
        PlainTable(
            title="Every host",
            lead="Macro F1 on a host that the model was not fitted on: a model of its own in every "
            "column. Intervals resample the host's episodes.",
            head=("model", "seed", "role", *found.hosts),
            rows=tuple((*_names(one), *_points(one, found.hosts)) for one in found.models),
        ),
        PlainTable(
            title="Summaries of these hosts",
            lead="The mean weighs hosts alike and exists only where every host was tested; pooled "
            "is the figure on all their episodes together.",
            head=("model", "seed", "role", "lowest host", "mean of hosts", "pooled", "episodes"),
            rows=tuple((*_names(one), *_summary(one)) for one in found.models),
        ),
    )


def _names(one: PooledModel) -> tuple[str, str, str]:
    return one.key.label, str(one.key.seed), one.role.value


def _points(one: PooledModel, hosts: tuple[str, ...]) -> tuple[str, ...]:
    by_host = {point.host: scored(point.macro_f1) for point in one.hosts}
    return tuple(by_host.get(host, UNTESTED) for host in hosts)


def _summary(one: PooledModel) -> tuple[str, ...]:
    lowest = one.lowest
    return (
        UNTESTED if lowest is None else f"{lowest.host} {number(lowest.macro_f1.point)}",
        f"{UNTESTED}: no {', '.join(one.missing)}" if one.missing else number(one.mean),
        scored(one.pooled),
        str(one.pooled.n_episodes),
    )
