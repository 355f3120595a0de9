"""A run as a table for people and as JSON.

Not here: the rows, the verdicts (``budgets``).
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from rich.console import Console
from rich.table import Table

from cis490_pipeline_tests.benchmarks.budgets import Budget, Line, RowResult, Verdict
from cis490_pipeline_tests.benchmarks.stores import Scale

FORMAT_VERSION: Final = 1
_WIDTH: Final = 160
"""Of the table where there is no terminal to ask."""
_STYLES: Final = {
    Verdict.GOAL: "green",
    Verdict.HOLDS: "green",
    Verdict.MISSES: "bold white on red",
    Verdict.NOT_THERE: "bold white on red",
    Verdict.RECORD: "dim",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Everything that a run came to; ``seconds`` is wall time, ``asked`` the rows asked for."""

    machine: Mapping[str, object]
    scale: Scale
    quick: bool
    asked: tuple[str, ...]
    started_at: str
    seconds: float
    rows: tuple[RowResult, ...]

    @property
    def missed(self) -> tuple[str, ...]:
        return tuple(row.row for row in self.rows if row.missed)


def as_json(run: Run) -> dict[str, object]:
    return {
        "format_version": FORMAT_VERSION,
        "machine": dict(run.machine),
        "quick": run.quick,
        "scale": asdict(run.scale),
        "started_at": run.started_at,
        "seconds": round(run.seconds, 1),
        "asked": list(run.asked),
        "missed": list(run.missed),
        "rows": [
            {
                "row": row.row,
                "seconds": round(row.seconds, 1),
                "load_before": row.load[0],
                "load_after": row.load[1],
                "lines": [_line_as_json(line) for line in row.lines],
            }
            for row in run.rows
        ],
    }


def _line_as_json(line: Line) -> dict[str, object]:
    budget, spread = line.budget, line.spread
    return {
        "what": line.what,
        "reference": line.reference,
        "unit": line.unit,
        "median": None if spread is None else spread.median,
        "low": None if spread is None else spread.low,
        "high": None if spread is None else spread.high,
        "spread": None if spread is None else spread.kind,
        "samples": list(line.samples),
        "must": None if budget is None else budget.must,
        "goal": None if budget is None else budget.goal,
        "bound": None if budget is None else ("at most" if budget.at_most else "at least"),
        "verdict": line.verdict.name.lower(),
        "absolute": line.absolute,
        "notes": list(line.notes),
        "absent": line.absent,
    }


def show(run: Run) -> None:
    """Print the table, the machine, and what misses."""
    width = None if sys.stdout.isatty() else _WIDTH
    console = Console(width=width, highlight=False, markup=False)
    table = Table(title=_title(run), title_justify="left", header_style="bold")
    table.add_column("row", no_wrap=True)
    table.add_column("what", ratio=5)
    table.add_column("against", ratio=4)
    for name in ("median", "must", "goal", "load"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("verdict", ratio=2)
    for row in run.rows:
        for line in row.lines:
            table.add_row(*_cells(row, line), style=_STYLES[line.verdict])
        table.add_section()
    console.print(table)
    for sentence in (_machine_sentence(run.machine), *_sentences(run)):
        console.print(sentence)


def as_markdown(run: Run) -> str:
    """Return the table and its sentences for a page."""
    names = ("row", "what", "against", "median", "must", "goal", "load", "verdict")
    every = [
        names,
        ["---"] * len(names),
        *(_cells(row, one) for row in run.rows for one in row.lines),
    ]
    table = ["| " + " | ".join(cells).replace("\n", "<br>") + " |" for cells in every]
    sentences = [f"- {one}" for one in (_machine_sentence(run.machine), *_sentences(run))]
    return "\n".join([f"{_title(run)}", "", *table, "", *sentences, ""])


def _title(run: Run) -> str:
    kind = "QUICK run, not the conditions of the budgets" if run.quick else "full run"
    return f"budgets: {kind}, {run.started_at}, {run.seconds:.0f} s"


def _cells(row: RowResult, line: Line) -> list[str]:
    budget, unit = line.budget, line.unit
    goal = None if budget is None else budget.goal
    return [
        row.row,
        f"{line.what}{_both_sides(line)}",
        line.reference or "–",
        _measured(line),
        _bound(budget, unit),
        "–" if goal is None else number(goal, unit),
        f"{max(row.load):.1f}",
        line.verdict.value if line.absent is None else f"{line.verdict.value}: {line.absent}",
    ]


def _measured(line: Line) -> str:
    spread = line.spread
    if spread is None:
        return "–"
    text = number(spread.median, line.unit)
    if len(line.samples) == 1:
        return text
    return f"{text}\n{number(spread.low)} – {number(spread.high)}"


def _both_sides(line: Line) -> str:
    """Return the figures behind a ratio: those that both sides have."""
    shown = [
        f"\n{rest.replace('_', ' ')}: {number(value)}, reference {number(other)}"
        for name, value in line.absolute.items()
        for side, _, rest in [name.partition("_")]
        for other in [line.absolute.get(f"reference_{rest}")]
        if side == "candidate" and other is not None
    ]
    return "".join(shown)


def _bound(budget: Budget | None, unit: str) -> str:
    if budget is None:
        return "–"
    return f"{'≤' if budget.at_most else '≥'} {number(budget.must, unit)}"


def number(value: float, unit: str = "") -> str:
    """Return three digits, more where the whole number has more.

    >>> number(0.1364, "s"), number(9384.0, "B")
    ('0.136 s', '9,384 B')
    """
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3
    text = f"{value:,.{digits}f}"
    return f"{text} {unit}" if unit else text


def _machine_sentence(machine: Mapping[str, object]) -> str:
    libraries = machine["libraries"]
    assert isinstance(libraries, Mapping)
    versions = ", ".join(f"{name} {version}" for name, version in libraries.items())
    return (
        f"{machine['cpu']}, {machine['cores']} cores, {int(str(machine['ram_bytes'])) / 1e9:.0f} "
        f"GB, {machine['system']}, Python {machine['python']}, {versions}, "
        f"commit {machine['commit']}"
    )


def _sentences(run: Run) -> Sequence[str]:
    cores = int(str(run.machine["cores"]))
    busiest = max((max(row.load) for row in run.rows), default=0.0)
    notes = [f"{row.row}: {note}" for row in run.rows for line in row.lines for note in line.notes]
    sentences = list(dict.fromkeys(notes))
    if busiest > cores:
        sentences.append(f"the machine was loaded (up to {busiest:.1f} on {cores} cores)")
    if run.missed:
        sentences.append(f"MISSED: {', '.join(run.missed)}")
    else:
        sentences.append("every row holds")
    return sentences
