"""Read what was scored of all ``host=<h>`` splits, put it together, write the page.

Not here: the figures (``evaluation.leave_one_host_out``), a single split's report (``publish``).
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow.compute as pc

from cis490_pipeline.datasets.test_sets import path_of_test_set
from cis490_pipeline.datasets.training_sets import training_set_path
from cis490_pipeline.errors import SplitRefusedError
from cis490_pipeline.evaluation.bootstrap import BootstrapConfig
from cis490_pipeline.evaluation.keys import ModelKey
from cis490_pipeline.evaluation.leave_one_host_out import leave_one_host_out
from cis490_pipeline.evaluation.predictions import TEST, Predictions, predictions_of, rows_of
from cis490_pipeline.evaluation.records import current_records
from cis490_pipeline.reporting.index_page import publish_index
from cis490_pipeline.reporting.leave_one_host_out import (
    folds_headline,
    folds_html,
    folds_markdown,
)
from cis490_pipeline.reporting.published import FOLDS, published_json, write_schema
from cis490_pipeline.schema.tables import Table
from cis490_pipeline.warehouse.atomic import write_bytes
from cis490_pipeline.warehouse.warehouse import Warehouse

NAME: Final = "leave_one_host_out"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedFolds:
    """Where the page is; ``tested`` are the hosts that have a current evaluation."""

    headline: str
    hosts: tuple[str, ...]
    tested: tuple[str, ...]
    html: Path
    markdown: Path
    json: Path
    content_hash: str


def publish_folds(warehouse: Warehouse, config: BootstrapConfig | None = None) -> PublishedFolds:
    """Write the leave-one-host-out view of the store.

    Raises
    ------
    SplitRefusedError
        Where the store has one host, or nothing was scored on an unseen one yet.
    """
    hosts = warehouse.tables.partitions(Table.EPISODES)
    folds = {host: found for host in hosts if (found := _fold(warehouse, host))}
    _require_folds(hosts, folds)
    view = leave_one_host_out(hosts, folds, config or BootstrapConfig())
    encoded = published_json(FOLDS, view)
    directory = warehouse.layout.leave_one_host_out
    published = PublishedFolds(
        headline=folds_headline(view),
        hosts=hosts,
        tested=tuple(folds),
        html=directory / f"{NAME}.html",
        markdown=directory / f"{NAME}.md",
        json=directory / f"{NAME}.json",
        content_hash=hashlib.sha256(encoded).hexdigest(),
    )
    write_bytes(published.html, folds_html(view).encode())
    write_bytes(published.markdown, folds_markdown(view).encode())
    write_bytes(published.json, encoded)
    write_schema(directory, FOLDS)
    publish_index(warehouse.layout)
    return published


def _fold(warehouse: Warehouse, host: str) -> dict[ModelKey, Predictions]:
    """Return what the current models of a host's split said; empty where nothing is current."""
    split = f"host={host}"
    layout = warehouse.layout
    planned = training_set_path(layout, split), path_of_test_set(layout, split)
    if not all(path.is_file() for path in planned):
        return {}
    records = current_records(layout, split)
    table = warehouse.tables.read(Table.PREDICTIONS, where=pc.field("split") == split)
    found: dict[ModelKey, Predictions] = {}
    for record in records:
        if record.evaluation is not None:
            key = record.evaluation.key
            rows = rows_of(table, key=key, bundle=record.fitted.bundle, role=TEST)
            found[key] = predictions_of(rows, key=key, role=TEST)
    return found


def _require_folds(hosts: tuple[str, ...], folds: dict[str, dict[ModelKey, Predictions]]) -> None:
    if len(hosts) < 2:
        raise SplitRefusedError(
            "no host can be left out",
            where="leave one host out",
            expected="episodes of at least two hosts",
            found=", ".join(hosts) or "none",
            todo="ship episodes of a second host, or use split `sample` or `time`",
        )
    if not folds:
        raise SplitRefusedError(
            "nothing was scored on a host that was left out",
            where="leave one host out",
            expected="current evaluations of " + " or ".join(f"host={host}" for host in hosts),
            todo="run `cis490 train` and `cis490 evaluate` for these splits first",
        )
