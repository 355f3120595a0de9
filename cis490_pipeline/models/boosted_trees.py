"""Whether a stored XGBoost model is a set of trees over the given columns and classes.

XGBoost's predictor follows child and column numbers without checking them: verified with 3.2, a
child out of range kills the process and a cycle hangs it. A bundle's hash says that its content is
what its name promises, not that somebody honest wrote it, so the trees are checked once at opening.

Not here: predicting (``gbt``).
"""

from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.errors import BundleError
from cis490_pipeline.models.classifier import CaseShape

_NO_CHILD: Final = -1


class _Tree(msgspec.Struct, frozen=True):
    left_children: list[int]
    right_children: list[int]
    split_indices: list[int]
    split_conditions: list[float]
    default_left: list[int]
    categories: list[int]


class _TreeModel(msgspec.Struct, frozen=True):
    trees: list[_Tree]
    tree_info: list[int]


class _GradientBooster(msgspec.Struct, frozen=True):
    name: str
    model: _TreeModel | None = None


class _Objective(msgspec.Struct, frozen=True):
    name: str


class _Parameters(msgspec.Struct, frozen=True):
    num_class: str
    num_feature: str


class _Learner(msgspec.Struct, frozen=True):
    gradient_booster: _GradientBooster
    learner_model_param: _Parameters
    objective: _Objective


class _Model(msgspec.Struct, frozen=True):
    learner: _Learner


def _refusal(what: str, *, expected: str = "", found: str = "") -> BundleError:
    return BundleError(
        f"XGBoost weights: {what}",
        where="booster.ubj",
        expected=expected,
        found=found,
        todo="train the model again",
    )


def _children_are_a_tree(left: NDArray[np.int64], right: NDArray[np.int64]) -> bool:
    """Say whether every walk down from the root stays inside and ends."""
    n_nodes = left.size
    inner = left != _NO_CHILD
    if n_nodes == 0 or np.any((right != _NO_CHILD) != inner):
        return False
    children = np.concatenate((left[inner], right[inner]))
    if np.any((children <= 0) | (children >= n_nodes)):
        return False
    # No child is the root and none has two parents: no walk down from the root can come back.
    return not np.any(np.bincount(children, minlength=n_nodes) > 1)


def _require_sound(tree: _Tree, number: int, n_features: int) -> None:
    left, right = np.asarray(tree.left_children), np.asarray(tree.right_children)
    columns = np.asarray(tree.split_indices)
    lengths = {len(getattr(tree, name)) for name in _Tree.__struct_fields__ if name != "categories"}
    if lengths != {left.size} or not _children_are_a_tree(left, right):
        raise _refusal(f"tree {number} is not a tree")
    if tree.categories or np.any((columns < 0) | (columns >= n_features)):
        raise _refusal(
            f"tree {number} splits on a column that does not exist",
            expected=f"columns 0 to {n_features - 1}",
            found=str(columns.max(initial=0)),
        )


def _require_parameters(learner: _Learner, shape: CaseShape) -> None:
    found = learner.learner_model_param
    if learner.objective.name != "multi:softprob" or learner.gradient_booster.name != "gbtree":
        raise _refusal(
            "another kind of model",
            expected="gbtree with multi:softprob",
            found=f"{learner.gradient_booster.name} with {learner.objective.name}",
        )
    if (found.num_class, found.num_feature) != (str(shape.n_classes), str(shape.n_channels)):
        raise _refusal(
            "made for other columns or classes",
            expected=f"{shape.n_channels} columns, {shape.n_classes} classes",
            found=f"{found.num_feature} columns, {found.num_class} classes",
        )


def require_sound_trees(model_json: bytes, shape: CaseShape) -> None:
    """Refuse a model whose prediction would leave its arrays or never end.

    Raises
    ------
    BundleError
        Saying which tree, or which parameter.
    """
    try:
        learner = msgspec.json.decode(model_json, type=_Model).learner
    except (msgspec.DecodeError, RecursionError) as error:
        raise _refusal("not a tree model", found=str(error)) from error
    _require_parameters(learner, shape)
    model = learner.gradient_booster.model
    if model is None or len(model.tree_info) != len(model.trees):
        raise _refusal("no trees")
    if any(not 0 <= group < shape.n_classes for group in model.tree_info):
        raise _refusal("a tree of a class that does not exist")
    for number, tree in enumerate(model.trees):
        _require_sound(tree, number, shape.n_channels)
