"""The row about an epoch of the transformer, at equal macro F1 on id_val.

Both networks are fitted on the recorded corpus of the repository, one epoch of each in turn: every
fit is cancelled after an epoch and resumed from its checkpoint, which changes no weight.
"""

import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Final

import numpy as np

from cis490_pipeline.datasets.cases import ArraySequences, Cases
from cis490_pipeline.datasets.loading import load_cases
from cis490_pipeline.datasets.members import Member
from cis490_pipeline.episodes.store import EpisodeStore
from cis490_pipeline.errors import TrainingCancelledError
from cis490_pipeline.ingest.due import hosts_to_ingest
from cis490_pipeline.ingest.run import ingest_host
from cis490_pipeline.models.catalog import FAMILIES
from cis490_pipeline.models.classifier import FamilySpec, HyperParameters
from cis490_pipeline.models.hyper_parameters import with_overrides
from cis490_pipeline.schema.channels import Mode
from cis490_pipeline.schema.tables import Table
from cis490_pipeline.training.fit import fit_family
from cis490_pipeline.training.fitted import Supervision
from cis490_pipeline.training.progress import EpochRecord
from cis490_pipeline.warehouse.warehouse import Warehouse
from cis490_pipeline_tests.benchmarks.budgets import Line, at_least, paired
from cis490_pipeline_tests.benchmarks.children import REPOSITORY
from cis490_pipeline_tests.benchmarks.stores import Stores

FAMILY: Final = "transformer"
_REFERENCE: Final = (
    "nn.TransformerEncoder, 2 layers, width 64, 4 heads, a token for each of 100 ticks"
)
_BATCH: Final = 64
_EQUAL: Final = 0.02
"""So much less macro F1 on id_val still counts as equal: seeds of one network differ by more."""
_ONE_IN: Final = 5


@dataclass(slots=True, kw_only=True, eq=False)
class Fit:
    """A fit that makes one epoch at a time; it is its own reporter and its own owner."""

    spec: FamilySpec
    train: Cases
    id_val: Cases
    hyper_parameters: HyperParameters
    checkpoint: Path
    epoch_s: list[float] = field(default_factory=list[float])
    scores: list[float] = field(default_factory=list[float])
    _began: float | None = None
    _ended: bool = False

    def one_epoch(self) -> None:
        """Resume, make an epoch, and be cancelled before the next one."""
        self._began, self._ended = None, False
        watch = Supervision(
            reporter=self,
            cancelled=self._cancelled,
            checkpoint=self.checkpoint,
            token=self.spec.name,
        )
        try:
            fit_family(
                self.spec,
                self.train,
                self.id_val,
                hyper_parameters=self.hyper_parameters,
                watch=watch,
            )
        except TrainingCancelledError:
            return

    def _cancelled(self) -> bool:
        if self._began is None:
            self._began = time.process_time()
        return self._ended

    def epoch(self, record: EpochRecord) -> None:
        """Take note of an epoch that has ended, its evaluation and checkpoint included."""
        assert self._began is not None
        self.epoch_s.append(time.process_time() - self._began)
        self.scores.append(record.id_val_macro_f1 or 0.0)
        self._ended = True


def transformer(stores: Stores, family: str = FAMILY) -> tuple[Line, ...]:
    """CPU of an epoch, times less than that of the reference, and whether macro F1 is equal."""
    spec = next((one for one in FAMILIES if one.name == family), None)
    what = f"{family} epoch on one core, times faster"
    budget = at_least(5.0, 10.0)
    if spec is None:
        absent = f"the catalog has no family {family!r}"
        return (
            Line(
                what=what, reference=_REFERENCE, unit="×", samples=(), budget=budget, absent=absent
            ),
        )
    from cis490_pipeline_tests.benchmarks.token_transformer import TOKEN_TRANSFORMER

    root = stores.new_directory("fits")
    root.mkdir()
    train, id_val = _recorded(root / "warehouse", stores.scale.cases)
    fits = [
        _fit(one, train, id_val, root / f"{one.name}.safetensors", stores.scale.epochs)
        for one in (spec, TOKEN_TRANSFORMER)
    ]
    for _ in range(stores.scale.epochs):
        for fit in fits:
            fit.one_epoch()
    return _lines(what, fits[0], fits[1])


def _fit(spec: FamilySpec, train: Cases, id_val: Cases, checkpoint: Path, epochs: int) -> Fit:
    # an epoch is one pass, and patience never ends a fit early
    loop = {"epochs": epochs, "batch_size": _BATCH, "evaluation_steps": 1, "patience": epochs}
    chosen = with_overrides(spec.hyper_parameters, loop, where=f"family {spec.name}")
    return Fit(
        spec=spec, train=train, id_val=id_val, hyper_parameters=chosen, checkpoint=checkpoint
    )


def _recorded(root: Path, most: int) -> tuple[Cases, Cases]:
    """Train and id_val of the recorded corpus, in memory: every fifth episode is id_val."""
    store, warehouse = EpisodeStore(REPOSITORY / "data" / "corpus"), Warehouse(root)
    for host in hosts_to_ingest(store, warehouse):
        ingest_host(store, warehouse, host)
    rows = warehouse.tables.read(Table.EPISODES, columns=["episode_id", "sha256"]).to_pylist()
    members = sorted(Member(episode_id=row["episode_id"], sha256=row["sha256"]) for row in rows)
    cases = load_cases(warehouse, members, Mode.ORACLE, summary=False, sequences=True).cases
    held_out_N = cases.cluster_N % _ONE_IN == 0
    return _taken(cases, ~held_out_N, most), _taken(cases, held_out_N, most)


def _taken(cases: Cases, mask_N: np.ndarray, most: int) -> Cases:
    fitting = np.flatnonzero(mask_N)
    chosen = fitting[:: -(-len(fitting) // most)]
    assert cases.sequences is not None
    return replace(
        cases,
        y_N=cases.y_N[chosen],
        cluster_N=cases.cluster_N[chosen],
        t_center_s_N=cases.t_center_s_N[chosen],
        sequences=ArraySequences(x_NCT=np.ascontiguousarray(cases.sequences.gather(chosen))),
    )


def _lines(what: str, ours: Fit, theirs: Fit) -> tuple[Line, ...]:
    note = f"recorded corpus, {ours.train.n_cases} training windows, all 46 channels, one seed"
    n_epochs = len(ours.epoch_s)
    speed = Line(
        what=what,
        reference=_REFERENCE,
        unit="×",
        samples=paired(theirs.epoch_s, ours.epoch_s),
        budget=at_least(5.0, 10.0),
        absolute={
            "candidate_cpu_s": median(ours.epoch_s),
            "reference_cpu_s": median(theirs.epoch_s),
        },
        notes=(note, "an epoch includes its evaluation on id_val and its checkpoint"),
    )
    equal = Line(
        what=f"{ours.spec.name}: best id_val macro F1, more than the reference's",
        reference=_REFERENCE,
        unit="",
        samples=(max(ours.scores) - max(theirs.scores),),
        budget=at_least(-_EQUAL),
        absolute={"candidate_macro_f1": max(ours.scores), "reference_macro_f1": max(theirs.scores)},
        notes=(f"after {n_epochs} epochs each; equal means no more than {_EQUAL} less",),
    )
    return speed, equal
