"""Explain a split's fitted models: the same call for the asset and the command line.

The explanation itself is of id_val windows. Windows of the test set are read to see whether the
model looks at the same channels on another host, and for nothing else; that opening is checked and
entered in the ledger like a scoring.

Not here: the methods (``attributions``), drawing (``reporting``).
"""

from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np

from cis490_pipeline.datasets.cases import Cases
from cis490_pipeline.datasets.test_sets import TestSet, load_test_set, path_of_test_set
from cis490_pipeline.datasets.training_sets import TrainingSet, load_training_set
from cis490_pipeline.errors import WarehouseError
from cis490_pipeline.evaluation.on_split import ScoringContext
from cis490_pipeline.evaluation.opening import (
    enter_in_ledger,
    require_disjoint,
    require_same_training,
)
from cis490_pipeline.evaluation.predictions import ID_VAL, TEST
from cis490_pipeline.explain.agreement import Agreements, agreement
from cis490_pipeline.explain.attributions import method_of, require_method
from cis490_pipeline.explain.columns import part_shares
from cis490_pipeline.explain.control import control_of
from cis490_pipeline.explain.explained import Explained, draw_from, explain_windows, load_for
from cis490_pipeline.explain.records import save_explanation, standing_explanation
from cis490_pipeline.explain.result import VERSION, ExplainOptions, Explanation, HostCells
from cis490_pipeline.explain.verdict import completeness_of, warnings_of
from cis490_pipeline.models.bundle import Bundle, open_bundle
from cis490_pipeline.models.catalog import family
from cis490_pipeline.models.classifier import Compute
from cis490_pipeline.models.current import FittedModel, fitted_models
from cis490_pipeline.models.registry import ModelRegistry
from cis490_pipeline.schema.channels import CHANNELS, Mode, visible_channels
from cis490_pipeline.schema.context import Context
from cis490_pipeline.schema.phases import PHASES
from cis490_pipeline.warehouse.layout import Layout
from cis490_pipeline.warehouse.warehouse import Warehouse

MOST_CONTROL_EPISODES: Final = 200
"""Training episodes that a model of permuted labels is fitted on at the most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedModel:
    """An explanation; ``reused`` where it stood already and nothing was read."""

    fitted: FittedModel
    explanation: Explanation
    reused: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Subject:
    """A model that is explained, opened, with the sets of its split."""

    fitted: FittedModel
    bundle: Bundle
    training_set: TrainingSet
    test_set: TestSet | None
    options: ExplainOptions


def find_model(
    warehouse: Warehouse, split: str, *, name: str, mode: Mode, context: Context, seed: int
) -> FittedModel:
    """Return the split's current model of one configuration.

    Raises
    ------
    ConfigurationError
        Where the family has no attribution; says which have.
    WarehouseError
        Where no such model was fitted on the current training set.
    """
    require_method(family(name))
    wanted = (name, mode.value, context.value, seed)
    for fitted in explainable_models(warehouse.layout, split):
        if (fitted.family, fitted.mode, fitted.context, fitted.seed) == wanted:
            return fitted
    raise WarehouseError(
        "no such model was fitted on the current training set",
        where=f"split {split}",
        found=f"family {name}, mode {mode.value}, context {context.value}, seed {seed}",
        todo="run `cis490 train` with the same options first",
    )


def explainable_models(layout: Layout, split: str) -> tuple[FittedModel, ...]:
    """Return the split's current models whose family has an attribution, sorted by name."""
    training_set = load_training_set(layout, split)
    current = fitted_models(layout, split, training_set.content_hash)
    return tuple(one for one in current if method_of(family(one.family)) is not None)


def explain_model(
    warehouse: Warehouse, fitted: FittedModel, options: ExplainOptions, scoring: ScoringContext
) -> ExplainedModel:
    """Explain one of a split's current models and write the result, unless it stands already.

    Raises
    ------
    ConfigurationError
        Where the family has no attribution.
    WarehouseError
        Where a set is absent, or the tables no longer hold what it names.
    LeakageError
        Where the sets overlap, or the bundle was fitted on other episodes than listed.
    """
    require_method(family(fitted.family))
    training_set = load_training_set(warehouse.layout, fitted.split)
    test_set = _test_set(warehouse, training_set)
    tested_on = None if test_set is None else test_set.content_hash
    standing = standing_explanation(warehouse.layout, fitted, tested_on, options)
    if standing is not None:
        return ExplainedModel(fitted=fitted, explanation=standing, reused=True)
    registry = ModelRegistry(warehouse.layout.models)
    bundle = open_bundle(registry.find(fitted.bundle), compute=Compute(threads=scoring.threads))
    require_same_training(bundle, registry, training_set)
    subject = _Subject(
        fitted=fitted,
        bundle=bundle,
        training_set=training_set,
        test_set=test_set,
        options=options,
    )
    explanation = _explanation(warehouse, subject, scoring)
    save_explanation(warehouse.layout, fitted, explanation)
    return ExplainedModel(fitted=fitted, explanation=explanation, reused=False)


def _test_set(warehouse: Warehouse, training_set: TrainingSet) -> TestSet | None:
    layout = warehouse.layout
    if not path_of_test_set(layout, training_set.split).is_file():
        return None
    test_set = load_test_set(layout, training_set.split)
    require_disjoint(warehouse, training_set, test_set)
    return test_set


def _explanation(warehouse: Warehouse, subject: _Subject, scoring: ScoringContext) -> Explanation:
    fitted, bundle, options = subject.fitted, subject.bundle, subject.options
    drawn = draw_from(warehouse, bundle, subject.training_set.id_val, options)
    own = explain_windows(bundle, bundle.classifier, drawn)
    control, how = control_of(
        bundle,
        lambda: _control_cases(warehouse, subject),
        seed=options.seed,
        compute=Compute(threads=scoring.threads),
    )
    tested = _on_test_windows(warehouse, subject, scoring)
    pooled, y_N = own.ranked(ID_VAL), drawn.cases.y_N
    with_control = agreement(pooled, explain_windows(bundle, control, drawn).ranked(how))
    completeness = completeness_of(own.attributions)
    with_test = _with_test_hosts(own, tested, subject.test_set)
    return Explanation(
        version=VERSION,
        split=fitted.split,
        family=fitted.family,
        mode=fitted.mode,
        context=fitted.context,
        seed=fitted.seed,
        bundle=fitted.bundle,
        training_set_hash=fitted.training_set_hash,
        test_set_hash=None if subject.test_set is None else subject.test_set.content_hash,
        options=options,
        method=require_method(bundle.spec),
        phases=tuple(phase.value for phase in PHASES),
        channels=tuple(CHANNELS[c].column for c in visible_channels(bundle.header.mode)),
        cells=pooled.cells,
        n_windows=pooled.n_windows,
        parts=part_shares(
            own.attributions.value_NF,
            y_N,
            len(PHASES),
            n_channels=own.channel_NC.shape[1],
            context=bundle.header.context,
        ),
        hosts=(*_host_cells(own, ID_VAL), *(_host_cells(tested, TEST) if tested else ())),
        completeness=completeness,
        between_training_hosts=_between_hosts(own),
        with_test_hosts=with_test,
        with_control=with_control,
        control=how,
        warnings=warnings_of(completeness, with_control, with_test),
    )


def _control_cases(warehouse: Warehouse, subject: _Subject) -> Cases:
    members = subject.training_set.train
    generator = np.random.default_rng(subject.options.seed)
    kept = np.sort(generator.permutation(len(members))[:MOST_CONTROL_EPISODES])
    return load_for(warehouse, subject.bundle, [members[i] for i in kept]).cases


def _on_test_windows(
    warehouse: Warehouse, subject: _Subject, scoring: ScoringContext
) -> Explained | None:
    test_set, bundle = subject.test_set, subject.bundle
    if test_set is None or not test_set.test:
        return None
    enter_in_ledger(
        warehouse,
        subject.fitted,
        why=f"{scoring.why}: channels",
        code_commit=scoring.code_commit,
        when=scoring.now(),
    )
    drawn = draw_from(warehouse, bundle, test_set.test, subject.options)
    return explain_windows(bundle, bundle.classifier, drawn)


def _host_cells(explained: Explained, role: str) -> tuple[HostCells, ...]:
    each = [explained.ranked(host, host) for host in explained.hosts()]
    return tuple(
        HostCells(host=one.name, role=role, cells=one.cells, n_windows=one.n_windows)
        for one in each
    )


def _between_hosts(own: Explained) -> Agreements:
    hosts = own.hosts()
    if len(hosts) < 2:
        reason = f"the windows of id_val come from one host: {', '.join(hosts)}"
        return Agreements(pairs=(), reason=reason)
    each = [own.ranked(host, host) for host in hosts]
    pairs = tuple(agreement(first, second) for first, second in combinations(each, 2))
    return Agreements(pairs=pairs, reason="")


def _with_test_hosts(
    own: Explained, tested: Explained | None, test_set: TestSet | None
) -> Agreements:
    if test_set is None:
        return Agreements(pairs=(), reason="the split has no test set file: evaluate it first")
    if tested is None:
        return Agreements(pairs=(), reason="the split has no test set")
    pooled = own.ranked(ID_VAL)
    pairs = tuple(agreement(pooled, tested.ranked(host, host)) for host in tested.hosts())
    return Agreements(pairs=pairs, reason="")
