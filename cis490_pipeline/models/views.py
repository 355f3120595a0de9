"""The one view of the cases that a family reads, as uniform ``x_BCT``, and its shape.

Shape suffixes: N cases, B a batch of cases, F summary columns, C channels, T timepoints.

Summary columns appear as channels with a single timepoint, so that scaling, networks and the loop
know one layout only. Not here: the mask of a mode (``datasets``).
"""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.datasets.cases import Cases, SequenceView
from cis490_pipeline.errors import ConfigurationError, SchemaMismatchError
from cis490_pipeline.models.classifier import CaseShape, Inputs
from cis490_pipeline.warehouse.mapped import PageBudget


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SummarySequences:
    """Window statistics ``x_NF`` as sequences of one timepoint."""

    x_NF: NDArray[np.float32]
    pages: PageBudget = field(default_factory=PageBudget)

    @property
    def n_channels(self) -> int:
        """Summary columns."""
        return int(self.x_NF.shape[1])

    @property
    def n_timepoints(self) -> int:
        """Always 1."""
        return 1

    def gather(self, index_B: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the cases ``x_BCT`` in the order asked for."""
        x_BF = self.x_NF[index_B]
        self.pages.spend(self.x_NF, index_B, 1)
        return x_BF[:, :, np.newaxis]


def _absent(inputs: Inputs) -> ConfigurationError:
    return ConfigurationError(
        f"the cases carry no {inputs.value} view",
        where="Cases",
        expected=f"cases loaded with the inputs {inputs.value!r} of the family",
        found="None",
        todo="load them for this family",
    )


def summary_of(cases: Cases) -> NDArray[np.float32]:
    """Return the window statistics ``x_NF``, in context where they were loaded so.

    In a context this is a large matrix, made anew: for families that fit on everything at once.

    Raises
    ------
    ConfigurationError
        Where the cases were loaded without them.
    """
    if cases.in_context is not None:
        return cases.in_context.matrix()
    if cases.summary_NF is None:
        raise _absent(Inputs.SUMMARY)
    return cases.summary_NF


def channel_view(cases: Cases, inputs: Inputs) -> SequenceView:
    """Return what a summary or sequence family reads, as sequences.

    Raises
    ------
    ConfigurationError
        Where the cases were loaded without it, or the family sees no channel.
    """
    if inputs is Inputs.SUMMARY and cases.in_context is not None:
        return cases.in_context
    if inputs is Inputs.SUMMARY:
        return SummarySequences(x_NF=summary_of(cases))
    if inputs is Inputs.SEQUENCE and cases.sequences is not None:
        return cases.sequences
    raise _absent(inputs)


def shape_of(cases: Cases, inputs: Inputs) -> CaseShape:
    """Return the shape of the view that a family reads."""
    if inputs in (Inputs.TIME, Inputs.NOTHING):
        return CaseShape(n_channels=0, n_timepoints=0, n_classes=cases.n_classes)
    if inputs is Inputs.BOTH:
        if cases.sequences is None or (cases.summary_NF is None and cases.in_context is None):
            raise _absent(inputs)
        grid, columns = shape_of(cases, Inputs.SEQUENCE), shape_of(cases, Inputs.SUMMARY)
        return replace(grid, n_columns=columns.n_channels)
    view = channel_view(cases, inputs)
    return CaseShape(
        n_channels=view.n_channels, n_timepoints=view.n_timepoints, n_classes=cases.n_classes
    )


def part_of(shape: CaseShape, inputs: Inputs) -> CaseShape:
    """Return the shape of what one member sees of a family that reads both views."""
    if inputs is Inputs.SUMMARY:
        return replace(shape, n_channels=shape.n_columns, n_timepoints=1, n_columns=0)
    return replace(shape, n_columns=0)


def _in_words(shape: CaseShape, inputs: Inputs) -> str:
    if inputs is Inputs.SUMMARY:
        return f"{shape.n_channels} summary columns, {shape.n_classes} classes"
    columns = f" and {shape.n_columns} summary columns" if inputs is Inputs.BOTH else ""
    grid = f"{shape.n_channels} channels × {shape.n_timepoints} timepoints"
    return f"{grid}{columns}, {shape.n_classes} classes"


def require_shape(cases: Cases, inputs: Inputs, expected: CaseShape) -> None:
    """Refuse cases of another shape than a model was fitted on.

    Raises
    ------
    SchemaMismatchError
        Saying what was expected and what was found.
    ConfigurationError
        Where the cases lack the view altogether.
    """
    found = shape_of(cases, inputs)
    if found != expected:
        raise SchemaMismatchError(
            "the cases do not have the shape that the model was fitted on",
            where="Cases",
            expected=_in_words(expected, inputs),
            found=_in_words(found, inputs),
            todo="load the cases in the model's own mode and context",
        )
