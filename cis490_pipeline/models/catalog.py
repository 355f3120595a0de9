"""The families, in the order of every table and report.

A new family adds its file and one line here. Importing this module imports neither torch nor
xgboost.
"""

from typing import Final

from cis490_pipeline.errors import ConfigurationError
from cis490_pipeline.models.bert import BERT
from cis490_pipeline.models.blend import BLEND
from cis490_pipeline.models.classifier import FamilySpec
from cis490_pipeline.models.cnn import CNN
from cis490_pipeline.models.elapsed_time import ELAPSED_TIME
from cis490_pipeline.models.gbt import GBT
from cis490_pipeline.models.grammar_only import GRAMMAR_ONLY
from cis490_pipeline.models.gru import GRU
from cis490_pipeline.models.knn import KNN
from cis490_pipeline.models.knn_semi import KNN_SEMI
from cis490_pipeline.models.logistic import LOGISTIC
from cis490_pipeline.models.lstm import LSTM
from cis490_pipeline.models.majority import MAJORITY
from cis490_pipeline.models.minirocket import MINIROCKET
from cis490_pipeline.models.mlp import MLP
from cis490_pipeline.models.permuted_labels import PERMUTED_LABELS
from cis490_pipeline.models.transformer import TRANSFORMER

FAMILIES: Final[tuple[FamilySpec, ...]] = (
    GBT,
    MLP,
    CNN,
    GRU,
    LSTM,
    TRANSFORMER,
    BERT,
    BLEND,
    KNN,
    KNN_SEMI,
    LOGISTIC,
    MINIROCKET,
    MAJORITY,
    ELAPSED_TIME,
    GRAMMAR_ONLY,
    PERMUTED_LABELS,
)


def family(name: str) -> FamilySpec:
    """Return a family by its name.

    Raises
    ------
    ConfigurationError
        Listing the known names.

    >>> family("gbt").inputs.value
    'summary'
    """
    for spec in FAMILIES:
        if spec.name == name:
            return spec
    raise ConfigurationError(
        "no such model family",
        where="family",
        expected="one of " + ", ".join(spec.name for spec in FAMILIES),
        found=name,
        todo="choose one of these names",
    )
