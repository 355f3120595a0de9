"""Whether a stored XGBoost model is a set of trees over the given columns and classes.

XGBoost trusts its files: verified with 3.2, a torn file aborts the process, a child number out of
range kills the predictor and a cycle hangs it. A bundle's hash says that its content is what its
name promises, not that somebody honest wrote it, so the bytes are checked before XGBoost gets them.

Not here: decoding (``ubjson``), predicting (``gbt``).
"""

from dataclasses import dataclass
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.errors import BundleError
from cis490_pipeline.models.classifier import CaseShape
from cis490_pipeline.models.ubjson import UbjError, decode_ubjson

_NO_CHILD: Final = -1
_NO_PARENT: Final = 2**31 - 1
_PER_NODE: Final = (
    "base_weights",
    "default_left",
    "left_children",
    "loss_changes",
    "parents",
    "right_children",
    "split_conditions",
    "split_indices",
    "split_type",
    "sum_hessian",
)
"""Arrays of a tree that have one entry per node."""


def _refusal(what: str, *, expected: str = "", found: str = "") -> BundleError:
    return BundleError(
        f"XGBoost weights: {what}",
        where="booster.ubj",
        expected=expected,
        found=found,
        todo="train the model again",
    )


@dataclass(frozen=True, slots=True)
class _Node:
    """A member of the decoded file; every access checks the type that it expects."""

    value: object
    path: str

    def __getitem__(self, name: str) -> "_Node":
        path = f"{self.path}.{name}" if self.path else name
        members = cast("dict[str, object]", self.value) if isinstance(self.value, dict) else {}
        if name not in members:
            raise _refusal(f"{path} is absent")
        return _Node(members[name], path)

    def text(self) -> str:
        """Return a string."""
        if not isinstance(self.value, str):
            raise _refusal(f"{self.path} is not a text")
        return self.value

    def items(self) -> "list[_Node]":
        """Return the members of a list."""
        if not isinstance(self.value, list):
            raise _refusal(f"{self.path} is not a list")
        items = cast("list[object]", self.value)
        return [_Node(item, f"{self.path}[{i}]") for i, item in enumerate(items)]

    def array(self) -> NDArray[np.generic]:
        """Return a typed array."""
        if not isinstance(self.value, np.ndarray):
            raise _refusal(f"{self.path} is not an array of numbers")
        return cast("NDArray[np.generic]", self.value)

    def codes(self) -> NDArray[np.int64]:
        """Return an array of integers."""
        found = self.array()
        if found.dtype.kind not in "iu":
            raise _refusal(f"{self.path} is not an array of integers")
        return found.astype(np.int64)


def _every_walk_ends(left: NDArray[np.int64], right: NDArray[np.int64]) -> bool:
    """Say whether every walk down from the root stays inside and ends."""
    inner = left != _NO_CHILD
    if left.size == 0 or np.any((right != _NO_CHILD) != inner):
        return False
    children = np.concatenate((left[inner], right[inner]))
    if np.any((children <= 0) | (children >= left.size)):
        return False
    # No child is the root and none has two parents: no walk down from the root can come back.
    return not np.any(np.bincount(children, minlength=left.size) > 1)


def _parents_agree(
    left: NDArray[np.int64], right: NDArray[np.int64], parents: NDArray[np.int64]
) -> bool:
    """Say whether every child names the node that it hangs from, and the root none.

    XGBoost climbs by these while it loads; a wrong one makes it read memory that is not its own.
    """
    expected = np.full(left.size, _NO_PARENT)
    inner = np.flatnonzero(left != _NO_CHILD)
    expected[left[inner]] = inner
    expected[right[inner]] = inner
    return bool(np.array_equal(parents, expected))


def _require_sound(tree: _Node, n_features: int) -> None:
    left, right = tree["left_children"].codes(), tree["right_children"].codes()
    sizes = {tree[name].array().size for name in _PER_NODE}
    counted = tree["tree_param"]["num_nodes"].text()
    if sizes != {left.size} or counted != str(left.size) or not _every_walk_ends(left, right):
        raise _refusal(f"{tree.path} is not a tree")
    if not _parents_agree(left, right, tree["parents"].codes()):
        raise _refusal(f"{tree.path} is not a tree: its parents and children disagree")
    columns = tree["split_indices"].codes()
    categorical = tree["categories_nodes"].array().size or np.any(tree["split_type"].codes() != 0)
    vector_leaves = tree["tree_param"]["size_leaf_vector"].text() not in ("0", "1")
    if categorical or vector_leaves or np.any((columns < 0) | (columns >= n_features)):
        raise _refusal(
            f"{tree.path} splits on what does not exist",
            expected=f"columns 0 to {n_features - 1}, numeric",
            found=f"columns up to {columns.max(initial=0)}",
        )


def _require_parameters(learner: _Node, shape: CaseShape) -> None:
    kind = (learner["gradient_booster"]["name"].text(), learner["objective"]["name"].text())
    if kind != ("gbtree", "multi:softprob"):
        raise _refusal("another kind", expected="gbtree, multi:softprob", found=", ".join(kind))
    parameters = learner["learner_model_param"]
    objective = learner["objective"]["softmax_multiclass_param"]
    found = (
        parameters["num_feature"].text(),
        parameters["num_class"].text(),
        objective["num_class"].text(),
    )
    if found != (str(shape.n_channels), str(shape.n_classes), str(shape.n_classes)):
        raise _refusal(
            "made for other columns or classes",
            expected=f"{shape.n_channels} columns, {shape.n_classes} classes",
            found=f"{found[0]} columns, {found[1]} classes",
        )


def _classes_of_trees(model: _Node) -> list[int]:
    listed = model["tree_info"]
    if isinstance(listed.value, np.ndarray):
        return listed.codes().tolist()
    codes = [item.value for item in listed.items()]
    if not all(isinstance(code, int) for code in codes):
        raise _refusal("tree_info is not a list of classes")
    return cast("list[int]", codes)


def require_sound_trees(data: bytes, shape: CaseShape) -> None:
    """Refuse a file that XGBoost would not read, or whose prediction would go astray.

    Raises
    ------
    BundleError
        Saying which tree, or which parameter.
    """
    try:
        decoded = decode_ubjson(data)
    except UbjError as error:
        raise _refusal("not UBJSON", found=str(error)) from error
    learner = _Node(decoded, "")["learner"]
    _require_parameters(learner, shape)
    model = learner["gradient_booster"]["model"]
    trees, classes = model["trees"].items(), _classes_of_trees(model)
    if model["gbtree_model_param"]["num_trees"].text() != str(len(trees)):
        raise _refusal("trees are missing")
    if len(classes) != len(trees) or any(not 0 <= code < shape.n_classes for code in classes):
        raise _refusal("a tree of a class that does not exist")
    for position, tree in enumerate(trees):
        # XGBoost puts a tree where its id says: of two with the same one, a place stays empty.
        if tree["id"].value != position:
            raise _refusal(f"{tree.path} has the id of another")
        _require_sound(tree, shape.n_channels)
