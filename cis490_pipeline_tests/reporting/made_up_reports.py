"""Reports of made-up predictions, and a reader of pages, for the tests of reporting."""

from html.parser import HTMLParser

import pyarrow as pa
import pyarrow.compute as pc

from cis490_pipeline.evaluation.comparison import compare
from cis490_pipeline.evaluation.keys import ModelKey
from cis490_pipeline.reporting.report import LedgerEntry, Report
from cis490_pipeline.schema.channels import Mode
from cis490_pipeline_tests.evaluation.made_up import (
    FAST,
    SPLIT,
    evaluations_of,
    key_of,
    scope_of,
    split_table,
)

GBT, CNN = key_of("gbt"), key_of("cnn")
ORACLE = key_of("gbt", Mode.ORACLE)
TIME, MAJORITY = key_of("elapsed_time"), key_of("majority")
SKILLS = {
    GBT: (0.8, 0.6),
    CNN: (0.7, 0.55),
    ORACLE: (0.85, 0.7),
    TIME: (0.4, 0.3),
    MAJORITY: (0.1, 0.1),
}
LEDGER = tuple(
    LedgerEntry(
        when=f"2026-11-{day:02d}T10:00:00Z",
        split=SPLIT,
        bundle=f"{day:064x}",
        identity=f"{day:064x}",
        why="evaluate",
        code_commit="0123456789abcdef",
    )
    for day in range(1, 16)
)


def report_of(
    table: pa.Table, keys: list[ModelKey], *, ledger: tuple[LedgerEntry, ...] = LEDGER, **scope
) -> Report:
    evaluations = evaluations_of(table, keys, scope=scope_of(**scope))
    return Report(
        comparison=compare(evaluations, table, config=FAST),
        evaluations=tuple(evaluations),
        ledger=ledger,
        made_at="2026-11-22T16:40:00Z",
        code_commit="0123456789abcdef",
    )


def plain_report() -> Report:
    """Six models; the phase ``armed`` has no window in the test set."""
    table = split_table(SKILLS)
    untested = (pc.field("phase") == 1) & (pc.field("role") == "test")
    return report_of(table.filter(~untested), list(SKILLS))


VOID = {"meta", "br", "img", "hr", "input", "link", "base", "embed", "source", "wbr"}


class Page(HTMLParser):
    """What a browser would find: elements, attributes, texts, rows; refuses unbalanced tags."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.texts: list[str] = []
        self.rows: list[list[str]] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self._open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in {"td", "th"}:
            self.rows[-1].append("")

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if {"style", "script"} & set(self._open):
            return
        self.texts.append(data)
        if {"td", "th"} & set(self._open):
            self.rows[-1][-1] += data

    def row(self, start: str) -> list[list[str]]:
        """Return the rows whose first cell starts so, cells stripped."""
        found = [[cell.strip() for cell in row] for row in self.rows]
        return [row for row in found if row and row[0].startswith(start)]
