"""What every command shares: the ``--json`` line, progress, tables.

Standard output carries the result, standard error the progress; a terminal gets a bar, a file gets
plain lines.
"""

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

json_option = click.option(
    "--json", "as_json", is_flag=True, help="End with one JSON object on the last line."
)

_PLAIN_INTERVAL_S = 5.0


def emit_json(values: Mapping[str, object], *, wanted: bool) -> None:
    """Write the result object as the last line, where it was asked for."""
    if wanted:
        click.echo(json.dumps(values, allow_nan=False))


def say(text: str) -> None:
    """Tell a person what is going on (standard error)."""
    click.echo(text, err=True)


def print_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table; numbers stand to the right."""
    table = Table(title=title, title_justify="left", header_style="bold")
    for name in header:
        table.add_column(name, justify="left" if name.islower() and name.isalpha() else "right")
    for row in rows:
        table.add_row(*row)
    width = None if sys.stdout.isatty() else 110
    Console(width=width, markup=False, highlight=False).print(table)


class ProgressLine:
    """A progress bar on a terminal, a line every few seconds elsewhere.

    Called with (done, total) as often as the work likes.
    """

    def __init__(self, what: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._what = what
        self._clock = clock
        self._last = clock()
        self._bar: Progress | None = None
        if sys.stderr.isatty():
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self._task = self._bar.add_task(what, total=None)

    def __enter__(self) -> "ProgressLine":
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, done: int, total: int) -> None:
        """Show that ``done`` of ``total`` are finished."""
        if self._bar is not None:
            self._bar.update(self._task, completed=done, total=total)
        elif done == total or self._clock() - self._last >= _PLAIN_INTERVAL_S:
            self._last = self._clock()
            say(f"{self._what}: {done} of {total}")

    def note(self, text: str, done: int | None = None, total: int | None = None) -> None:
        """Show in words how far the work is, with a bar where the end is known."""
        if self._bar is not None:
            description = f"{self._what}: {text}"
            self._bar.update(self._task, description=description, completed=done, total=total)
        elif self._clock() - self._last >= _PLAIN_INTERVAL_S:
            self._last = self._clock()
            say(f"{self._what}: {text}")
