"""The learning rate as a pure function of the step, and how many steps a fit gets.

Not here: the loop (``loop``).
"""

import math
from dataclasses import dataclass
from typing import Final

from cis490_pipeline.models.classifier import NetworkHyperParameters

_SMALLEST_BATCH: Final = 16
_LARGEST_BATCH: Final = 512
_BATCHES_PER_PASS: Final = 32
_LARGEST_VALUES: Final = 4_000_000
"""Input values of a batch: a network holds dozens of copies of its input while it learns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How long a network is trained.

    An *epoch* of the loop is the smallest whole number of passes over the training set that has at
    least ``evaluation_steps`` steps: with 40 cases many passes, with 4 million a single one. After
    each epoch the network is evaluated and the state is saved.
    """

    batch_size: int
    steps_per_pass: int
    passes_per_epoch: int
    epochs: int
    min_steps: int

    @property
    def total_steps(self) -> int:
        """Steps until the learning rate is 0."""
        return self.epochs * self.passes_per_epoch * self.steps_per_pass


def _automatic_batch(n_cases: int, values_per_case: int) -> int:
    """Return a power of two near a thirty-second of the set: enough steps, enough parallelism."""
    wanted = max(1, n_cases // _BATCHES_PER_PASS)
    largest = min(_LARGEST_BATCH, 2 ** int(math.log2(max(1, _LARGEST_VALUES // values_per_case))))
    return max(_SMALLEST_BATCH, min(largest, 2 ** round(math.log2(wanted))))


def budget_of(chosen: NetworkHyperParameters, n_cases: int, values_per_case: int = 1) -> Budget:
    """Return the budget for a training set of ``n_cases``, each of so many values.

    With ``epochs`` set, exactly so many passes are made: where several passes make an epoch of the
    loop, the last digits are kept by making the epochs shorter.
    """
    batch_size = chosen.batch_size or _automatic_batch(n_cases, values_per_case)
    steps_per_pass = math.ceil(n_cases / batch_size)
    passes = chosen.epochs
    if passes is None:
        wanted = max(chosen.min_steps, chosen.passes * steps_per_pass)
        passes = math.ceil(min(wanted, chosen.max_steps) / steps_per_pass)
    passes_per_epoch = min(passes, math.ceil(chosen.evaluation_steps / steps_per_pass))
    if chosen.epochs is None:
        epochs = math.ceil(passes / passes_per_epoch)
    else:
        while passes % passes_per_epoch:
            passes_per_epoch -= 1
        epochs = passes // passes_per_epoch
    return Budget(
        batch_size=batch_size,
        steps_per_pass=steps_per_pass,
        passes_per_epoch=passes_per_epoch,
        epochs=epochs,
        min_steps=chosen.min_steps,
    )


def learning_rate(step: int, total_steps: int, *, peak: float, warm_up_share: float) -> float:
    """Return the rate of a step: linear warm-up to ``peak``, then a cosine to 0.

    Parameters
    ----------
    step
        0 … ``total_steps`` - 1.

    >>> [round(learning_rate(s, 100, peak=1.0, warm_up_share=0.05), 2) for s in (0, 4, 52, 99)]
    [0.2, 1.0, 0.51, 0.0]
    """
    warm_up = math.ceil(warm_up_share * total_steps)
    if step < warm_up:
        return peak * (step + 1) / warm_up
    share_done = (step - warm_up) / max(1, total_steps - warm_up)
    return peak * 0.5 * (1.0 + math.cos(math.pi * share_done))
