"""The smoke subset of the recorded corpus, ingested once a session; tests that write get a copy.

48 episodes (785 windows) of lab-a and lab-b; lab-b has no ``scan-and-dial``.
"""

import shutil
from pathlib import Path
from typing import Final

import pytest

from cis490_pipeline.datasets.planning import write_test_set, write_training_set
from cis490_pipeline.episodes.store import EpisodeStore
from cis490_pipeline.evaluation.bootstrap import BootstrapConfig
from cis490_pipeline.evaluation.on_split import ScoringContext, evaluate_on_split
from cis490_pipeline.ingest.run import ingest_host
from cis490_pipeline.schema.channels import Mode
from cis490_pipeline.splits.config import SplitConfig
from cis490_pipeline.training.on_split import FitOptions, fit_on_split
from cis490_pipeline.training.progress import SilentReporter
from cis490_pipeline.warehouse.warehouse import Warehouse

CORPUS: Final = Path(__file__).resolve().parents[2] / "data" / "corpus"
INDEX: Final = "smoke_index.jsonl"
SPLIT: Final = "host=lab-b"
CHEAP: Final = (
    FitOptions(family="majority", mode=Mode.ANY),
    FitOptions(family="elapsed_time", mode=Mode.ANY),
    FitOptions(family="gbt", mode=Mode.REALISTIC, overrides={"rounds": 3}),
)
FEW: Final = BootstrapConfig(n_resamples=200)


def smoke_warehouse(factory: pytest.TempPathFactory) -> Warehouse:
    """Return the session's ingested warehouse, for reading only."""
    root = factory.getbasetemp() / "smoke-warehouse"
    if not root.exists():
        building = Warehouse(factory.mktemp("building") / "data")
        for host in ("lab-a", "lab-b"):
            ingest_host(EpisodeStore(CORPUS, INDEX), building, host)
        building.root.rename(root)
    return Warehouse(root)


def scored_warehouse(factory: pytest.TempPathFactory) -> Warehouse:
    """Return the session's warehouse with cheap models of ``SPLIT``, scored; for reading only."""
    root = factory.getbasetemp() / "scored-warehouse"
    if not root.exists():
        building = copy_of(smoke_warehouse(factory), factory.mktemp("scoring") / "data")
        plan(building, SPLIT)
        for options in CHEAP:
            fit(building, SPLIT, options)
            score(building, SPLIT, options)
        building.root.rename(root)
    return Warehouse(root)


def copy_of(warehouse: Warehouse, root: Path) -> Warehouse:
    """Return a copy that a test may change."""
    shutil.copytree(warehouse.root, root)
    return Warehouse(root)


def plan(warehouse: Warehouse, split: str) -> None:
    """Write both set files of a split."""
    write_training_set(warehouse, split, SplitConfig())
    write_test_set(warehouse, split, SplitConfig())


def fit(warehouse: Warehouse, split: str, options: FitOptions) -> str:
    """Fit one model and return its bundle."""
    return fit_on_split(warehouse, split, options, SilentReporter(), lambda: False).bundle


def score(warehouse: Warehouse, split: str, options: FitOptions, why: str = "test") -> None:
    """Score the split's current models of one configuration, with few resamples."""
    context = ScoringContext(why=why, code_commit="c0ffee", bootstrap=FEW)
    evaluate_on_split(warehouse, split, options.family, options.mode, context)
