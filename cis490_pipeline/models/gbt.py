"""``gbt``: gradient-boosted trees on the window statistics.

XGBoost takes missing statistics as they are (NaN goes the way that was learned), needs no scaling,
and is hard to beat on a few thousand windows: the model that every network has to justify itself
against.

Not here: fitting (``training.boosting``), the structural check (``boosted_trees``).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.datasets.cases import Cases
from cis490_pipeline.edge.probabilities import normalised_rows
from cis490_pipeline.errors import BundleError
from cis490_pipeline.models.classifier import (
    CHANNEL_MODES,
    Boosting,
    CaseShape,
    Classifier,
    FamilySpec,
    HyperParameters,
    Inputs,
    StoredModel,
)
from cis490_pipeline.models.views import channel_view

if TYPE_CHECKING:
    import onnx
    import xgboost

WEIGHTS_FILE: Final = "booster.ubj"
_CASES_AT_ONCE: Final = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class GbtHyperParameters(HyperParameters):
    """Trees, and how they are stopped.

    The defaults were chosen within hosts, never across (4-fold over the episodes of each of two
    labs, averaged): depth 3 to 6 and 64 or 256 bins are within noise there; fewer columns a tree
    and smaller steps are a little better. Both labs' labels had a part in that.

    Attributes
    ----------
    rounds
        At most so many rounds of one tree per class; ``patience`` rounds without a better
        (class-weighted) id_val log-loss end it earlier.
    bins
        Histogram bins: 64 train 1.7 times as fast as 256 at the same error.
    column_share
        Columns a tree may use: the statistics of one channel are near copies of each other, and
        dropping some makes the trees disagree usefully. Twelve at least, where there are so many.
    min_child_weight
        Weight a leaf needs at least; with weights of mean 1 about so many windows, half of which
        overlap their neighbour.
    host_copies
        In a context, so many further copies of the training set as other hosts might have recorded
        it: levels moved by a factor, netflow missing. Without a context nothing is copied: a level
        is all there is then.
    most_cases
        Windows that trees learn from at most, copies included, and as many to stop by: of a larger
        set each window has an equal chance. XGBoost holds its matrices in memory, some eight bytes
        a value where values are missing: with this it is 4 GB at most, however many episodes.
    """

    rounds: Annotated[int, msgspec.Meta(ge=1, le=20_000)] = 800
    patience: Annotated[int, msgspec.Meta(ge=1, le=20_000)] = 30
    depth: Annotated[int, msgspec.Meta(ge=1, le=12)] = 4
    learning_rate: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.05
    bins: Annotated[int, msgspec.Meta(ge=2, le=1024)] = 64
    row_share: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.8
    column_share: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.2
    min_child_weight: Annotated[float, msgspec.Meta(ge=0, le=1e6)] = 1.0
    l2: Annotated[float, msgspec.Meta(ge=0, le=1e6)] = 1.0
    host_copies: Annotated[int, msgspec.Meta(ge=0, le=16)] = 1
    most_cases: Annotated[int, msgspec.Meta(ge=1)] = 2**18


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GbtClassifier:
    """A booster cut to its best round."""

    booster: "xgboost.Booster"

    def predict_proba(self, cases: Cases) -> NDArray[np.float64]:
        """Return the probabilities; without any channel it is the training mix."""
        view = channel_view(cases, Inputs.SUMMARY)
        rows: list[NDArray[np.float64]] = []
        for start in range(0, max(1, cases.n_cases), _CASES_AT_ONCE):
            index_B = np.arange(start, min(start + _CASES_AT_ONCE, cases.n_cases))
            x_BF = np.ascontiguousarray(view.gather(index_B)[:, :, 0], dtype=np.float32)
            rows.append(np.asarray(self.booster.inplace_predict(x_BF), dtype=np.float64))
        return normalised_rows(np.concatenate(rows))

    def weights(self) -> dict[str, bytes]:
        """Return the booster as UBJ."""
        return {WEIGHTS_FILE: bytes(self.booster.save_raw(raw_format="ubj"))}

    def onnx_graph(self, shape: CaseShape) -> "onnx.ModelProto":
        """Return the trees and a softmax."""
        from cis490_pipeline.models.tree_graph import tree_graph

        return tree_graph(self.weights()[WEIGHTS_FILE], shape)


def _load(stored: StoredModel) -> Classifier:
    import xgboost

    from cis490_pipeline.models.boosted_trees import require_sound_trees

    raw = stored.files.get(WEIGHTS_FILE)
    if raw is None:
        raise BundleError("weights are absent", where=WEIGHTS_FILE, todo="train the model again")
    require_sound_trees(raw, stored.shape)
    try:
        booster = xgboost.Booster(params={"nthread": stored.compute.threads})
        booster.load_model(bytearray(raw))
    except xgboost.core.XGBoostError as error:
        raise BundleError(
            "weights are not an XGBoost model",
            where=WEIGHTS_FILE,
            found=str(error).splitlines()[0],
            todo="train the model again",
        ) from error
    return GbtClassifier(booster=booster)


GRID: Final = (
    GbtHyperParameters(),
    GbtHyperParameters(depth=3),
    GbtHyperParameters(depth=6, min_child_weight=5.0),
    GbtHyperParameters(min_child_weight=5.0),
    GbtHyperParameters(learning_rate=0.1),
)
"""How deep, how heavy a leaf, how large a step: what decides how closely trees follow train."""

GBT: Final = FamilySpec(
    name="gbt",
    inputs=Inputs.SUMMARY,
    modes=CHANNEL_MODES,
    wants_gpu=False,
    hyper_parameters=GbtHyperParameters(),
    fitting=Boosting(),
    load=_load,
    grid=GRID,
)
