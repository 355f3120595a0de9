"""Which model watches: what id_val recommends of split ``deploy``, or one that is named.

Not here: the rule of choice (``evaluation.choice``).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow.compute as pc

from cis490_pipeline.datasets.training_sets import (
    TrainingSet,
    load_training_set,
    training_set_path,
)
from cis490_pipeline.errors import ConfigurationError
from cis490_pipeline.evaluation.bootstrap import BootstrapConfig
from cis490_pipeline.evaluation.keys import ModelKey
from cis490_pipeline.evaluation.on_id_val import choose_each_mode
from cis490_pipeline.evaluation.predictions import ID_VAL, predictions_of, rows_of
from cis490_pipeline.models.bundle import read_header
from cis490_pipeline.models.current import FittedModel, fitted_models
from cis490_pipeline.models.registry import ModelRegistry
from cis490_pipeline.schema.channels import Mode
from cis490_pipeline.schema.tables import Table
from cis490_pipeline.splits.recipes import DEPLOY_KEY
from cis490_pipeline.warehouse.warehouse import Warehouse


@dataclass(frozen=True, slots=True, kw_only=True)
class Watcher:
    """A current model of ``deploy`` and what it was fitted on."""

    fitted: FittedModel
    training_set: TrainingSet

    @property
    def key(self) -> ModelKey:
        """Its name in an evaluation."""
        return key_of(self.fitted)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoWatcher:
    """Nobody watches; ``reason`` says why, and what to do."""

    reason: str


def key_of(fitted: FittedModel) -> ModelKey:
    """Return the name of a fitted model in an evaluation."""
    return ModelKey(
        family=fitted.family, mode=Mode(fitted.mode), context=fitted.context, seed=fitted.seed
    )


def find_watcher(
    warehouse: Warehouse, label: str = "", config: BootstrapConfig | None = None
) -> Watcher | NoWatcher:
    """Return who watches.

    Parameters
    ----------
    label
        Family, mode and context, such as ``gbt/realistic/recent``; empty for the recommended one.
        Of several seeds it is the lowest.

    Raises
    ------
    ConfigurationError
        Where there is no current model of that name.
    WarehouseError
        Where a file of the split is damaged.
    """
    if not training_set_path(warehouse.layout, DEPLOY_KEY).exists():
        return NoWatcher(reason="split deploy was never planned: run full_split[deploy]")
    training = load_training_set(warehouse.layout, DEPLOY_KEY)
    models = fitted_models(warehouse.layout, DEPLOY_KEY, training.content_hash)
    if not models:
        return NoWatcher(reason="no current model of split deploy: run full_split[deploy]")
    if label:
        return Watcher(fitted=_named(models, label), training_set=training)
    chosen = _recommended(warehouse, models, config or BootstrapConfig())
    if isinstance(chosen, NoWatcher):
        return chosen
    return Watcher(fitted=chosen, training_set=training)


def _named(models: Sequence[FittedModel], label: str) -> FittedModel:
    found = sorted((one for one in models if key_of(one).label == label), key=key_of)
    if found:
        return found[0]
    raise ConfigurationError(
        "no current model of split deploy has this name",
        where="model",
        expected=", ".join(sorted({key_of(one).label for one in models})),
        found=label,
        todo="correct the name, or leave it empty for the recommended one",
    )


def _recommended(
    warehouse: Warehouse, models: Sequence[FittedModel], config: BootstrapConfig
) -> FittedModel | NoWatcher:
    by_key = {key_of(one): one for one in models}
    of_split = (pc.field("split") == DEPLOY_KEY) & (pc.field("role") == ID_VAL)
    table = warehouse.tables.read(Table.PREDICTIONS, where=of_split)
    rows = {
        key: rows_of(table, key=key, bundle=one.bundle, role=ID_VAL) for key, one in by_key.items()
    }
    id_val = {
        key: predictions_of(found, key=key, role=ID_VAL)
        for key, found in rows.items()
        if found.num_rows
    }
    if not id_val:
        return NoWatcher(reason="no model of split deploy is evaluated: run evaluate_split[deploy]")
    registry = ModelRegistry(warehouse.layout.models)
    tried = {
        key: max(1, len(read_header(registry.find(one.bundle))[1].search))
        for key, one in by_key.items()
    }
    choices = choose_each_mode(sorted(by_key), id_val, tried=tried, config=config)
    of_mode = [one for one in choices if one.mode is Mode.REALISTIC]
    if not of_mode:
        return NoWatcher(reason="split deploy has no realistic model: run full_split[deploy]")
    if of_mode[0].recommended is None:
        return NoWatcher(reason=f"{of_mode[0].reason}; name a model to watch all the same")
    return by_key[of_mode[0].recommended]
