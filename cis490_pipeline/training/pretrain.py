"""Pre-training of a network on unlabelled cases of the train slice.

Shape suffixes: B a batch of cases, C channels, T timepoints.

It sees neither a label nor a case of id_val: there is nothing to stop by, so the number of steps is
fixed. The pre-trained weights are a function of the cases, the hyper-parameters and the seed alone.
A fit that was killed while pre-training begins anew; later it resumes from the loop's checkpoint,
which holds the network.

Not here: the objective (the family), the fit that follows (``loop``).
"""

import math
from collections.abc import Callable, Iterator
from itertools import count, islice

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from cis490_pipeline.datasets.cases import SequenceView
from cis490_pipeline.errors import TrainingCancelledError, TrainingError
from cis490_pipeline.models.classifier import (
    FitTask,
    HyperParameters,
    PretrainedHyperParameters,
    narrow,
)
from cis490_pipeline.training.fitted import Supervision
from cis490_pipeline.training.groups import parameter_groups
from cis490_pipeline.training.precision import precision_on
from cis490_pipeline.training.randomness import own_randomness
from cis490_pipeline.training.schedule import budget_of, learning_rate
from cis490_pipeline.training.shuffle import batches


def _step(
    objective: nn.Module, optimiser: torch.optim.Optimizer, x_BCT: torch.Tensor, clip: float
) -> None:
    with precision_on(x_BCT.device.type).autocast():
        loss = objective(x_BCT)
    value = float(loss.detach())
    if not math.isfinite(value):
        raise TrainingError(
            "the pre-training has diverged",
            expected="a finite loss",
            found=str(value),
            todo="lower pretraining_rate, or look for absurd values in the training set",
        )
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(objective.parameters(), clip)
    optimiser.step()


def _stream(
    task: FitTask, batch_size: int, total: int, watch: Supervision
) -> Iterator[NDArray[np.int64]]:
    """Yield the batches of ``total`` steps, pass after pass."""
    left = total
    for number in count():
        if left <= 0:
            return
        if watch.cancelled():
            raise TrainingCancelledError("cancelled while pre-training", todo="start it again")
        order = batches(task.train.n_cases, batch_size, seed=task.seed, epoch=number)
        for index_B in islice(order, left):
            left -= 1
            yield index_B


def pretrain(
    network: nn.Module,
    wrap: Callable[[nn.Module, HyperParameters], nn.Module],
    task: FitTask,
    view: SequenceView,
    watch: Supervision,
) -> None:
    """Train what the objective shares with the network, in place.

    Raises
    ------
    TrainingCancelledError
        Where its owner cancels; asked before every pass over the cases.
    TrainingError
        Where the loss is not finite.
    """
    chosen = narrow(task.hyper_parameters, PretrainedHyperParameters)
    budget = budget_of(chosen, task.train.n_cases, task.shape.n_values)
    total = budget.total_steps if chosen.pretraining_steps is None else chosen.pretraining_steps
    device = task.compute.device
    with own_randomness(task.seed, device):
        objective = wrap(network, task.hyper_parameters).to(device).train()
        groups = parameter_groups(objective, chosen.weight_decay)
        optimiser = torch.optim.AdamW(groups, lr=chosen.pretraining_rate)
        for step, index_B in enumerate(_stream(task, budget.batch_size, total, watch)):
            rate = learning_rate(
                step, total, peak=chosen.pretraining_rate, warm_up_share=chosen.warm_up_share
            )
            for group in optimiser.param_groups:
                group["lr"] = rate
            x_BCT = np.ascontiguousarray(view.gather(index_B), dtype=np.float32)
            _step(objective, optimiser, torch.from_numpy(x_BCT).to(device), chosen.gradient_clip)
