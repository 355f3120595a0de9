"""Pre-training of a network on unlabelled cases of the train slice, and the trunk that it leaves.

Shape suffixes: B a batch of cases, C channels, T timepoints.

It is given neither a label nor a case of id_val: there is nothing to stop by, so the number of
steps is fixed. The trunk is a function of the cases, the hyper-parameters and the seed alone.
Epochs, checkpoints and cancelling are those of the loop, so a pre-training that was killed ends, on
the CPU, with the same trunk as one that was not.

Not here: the objective (the family), the trunk as an artifact (``trunk``), the fit that follows
(``loop``).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice
from typing import Final

import numpy as np
import safetensors.torch
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cis490_pipeline.datasets.cases import Cases, SequenceView
from cis490_pipeline.errors import BundleError, TrainingError
from cis490_pipeline.models.classifier import (
    CaseShape,
    Compute,
    HyperParameters,
    Inputs,
    Network,
    PretrainedHyperParameters,
    narrow,
)
from cis490_pipeline.models.networks.classifier import first_difference, torch_threads
from cis490_pipeline.models.views import channel_view, shape_of
from cis490_pipeline.training.checkpoint import Checkpoint, CheckpointFile, LoopState
from cis490_pipeline.training.fitted import STEPS_BETWEEN_QUESTIONS, Supervision
from cis490_pipeline.training.groups import parameter_groups
from cis490_pipeline.training.precision import precision_on
from cis490_pipeline.training.progress import EpochRecord
from cis490_pipeline.training.randomness import own_randomness
from cis490_pipeline.training.schedule import budget_of, learning_rate
from cis490_pipeline.training.shuffle import batches
from cis490_pipeline.training.state_tensors import (
    optimiser_tensors,
    random_state_tensors,
    restore_optimiser,
    restore_random_state,
    with_prefix,
    without_prefix,
)
from cis490_pipeline.training.untrained import untrained_network

PRETRAINING: Final = "pre-training"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PretrainingTask:
    """Everything that pre-training may look at: the values of the training cases, no label.

    ``shape`` tells the number of classes, since the network has a head that is not trained here.
    """

    view: SequenceView
    n_cases: int
    shape: CaseShape
    hyper_parameters: HyperParameters
    seed: int
    compute: Compute


def pretraining_task(
    train: Cases, inputs: Inputs, hyper_parameters: HyperParameters, seed: int, compute: Compute
) -> PretrainingTask:
    """Return the task of a train slice: its labels end here."""
    return PretrainingTask(
        view=channel_view(train, inputs),
        n_cases=train.n_cases,
        shape=shape_of(train, inputs),
        hyper_parameters=hyper_parameters,
        seed=seed,
        compute=compute,
    )


class _Session:
    """A pre-training under way: the objective around the network, and its optimiser."""

    def __init__(self, objective: nn.Module, task: PretrainingTask, watch: Supervision) -> None:
        self.task = task
        self.watch = watch
        self.objective = objective.to(task.compute.device).train()
        self.chosen = narrow(task.hyper_parameters, PretrainedHyperParameters)
        self.budget = budget_of(self.chosen, task.n_cases, task.shape.n_values)
        wanted = self.chosen.pretraining_steps
        self.total = self.budget.total_steps if wanted is None else wanted
        self.steps_per_epoch = self.budget.passes_per_epoch * self.budget.steps_per_pass
        self.epochs = math.ceil(self.total / self.steps_per_epoch)
        self.optimiser = torch.optim.AdamW(
            parameter_groups(objective, self.chosen.weight_decay), lr=self.chosen.pretraining_rate
        )
        self.history: list[EpochRecord] = []
        self.epochs_done = 0

    def _batches(self) -> Iterator[NDArray[np.int64]]:
        """Yield the batches of the next epoch, pass after pass; the last epoch may end early."""
        left = min(self.steps_per_epoch, self.total - self.epochs_done * self.steps_per_epoch)
        for number in count(self.epochs_done * self.budget.passes_per_epoch):
            if left <= 0:
                return
            order = batches(
                self.task.n_cases, self.budget.batch_size, seed=self.task.seed, epoch=number
            )
            for index_B in islice(order, left):
                left -= 1
                yield index_B

    def _step(self, x_BCT: Tensor, rate: float) -> Tensor:
        """Make one optimiser step; return the loss."""
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        with precision_on(self.task.compute.device).autocast():
            loss = self.objective(x_BCT)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.objective.parameters(), self.chosen.gradient_clip)
        self.optimiser.step()
        return loss.detach()

    def epoch(self) -> EpochRecord:
        """Make the steps of one epoch and record it."""
        rate, losses = 0.0, list[Tensor]()
        step = self.epochs_done * self.steps_per_epoch
        for index_B in self._batches():
            if len(losses) % STEPS_BETWEEN_QUESTIONS == 0:
                self.watch.require_wanted(f"{PRETRAINING}, epoch {self.epochs_done + 1}")
            rate = learning_rate(
                step,
                self.total,
                peak=self.chosen.pretraining_rate,
                warm_up_share=self.chosen.warm_up_share,
            )
            x_BCT = np.ascontiguousarray(self.task.view.gather(index_B), dtype=np.float32)
            losses.append(self._step(torch.from_numpy(x_BCT).to(self.task.compute.device), rate))
            step += 1
        self.epochs_done += 1
        record = EpochRecord(
            step=step,
            epoch=self.epochs_done,
            train_loss=_finite(float(torch.stack(losses).mean())),
            id_val_macro_f1=None,
            lr=rate,
            most_epochs=self.epochs,
            part=PRETRAINING,
        )
        self.history.append(record)
        return record

    def checkpoint(self, token: str) -> Checkpoint:
        """Return everything that the next epoch depends on."""
        state = LoopState(token=token, epochs_done=self.epochs_done, history=tuple(self.history))
        tensors = {
            **with_prefix("objective", self.objective.state_dict()),
            **with_prefix("optimiser", optimiser_tensors(self.optimiser)),
            **with_prefix("random", random_state_tensors(self.task.compute.device)),
        }
        return Checkpoint(state=state, tensors=tensors)

    def resume(self, checkpoint: Checkpoint) -> None:
        """Go back to where a checkpoint was taken."""
        tensors = checkpoint.tensors
        self.objective.load_state_dict(without_prefix("objective", tensors))
        restore_optimiser(self.optimiser, without_prefix("optimiser", tensors))
        restore_random_state(without_prefix("random", tensors), self.task.compute.device)
        self.history = list(checkpoint.state.history)
        self.epochs_done = checkpoint.state.epochs_done


def _finite(loss: float) -> float:
    if not math.isfinite(loss):
        raise TrainingError(
            "the pre-training has diverged",
            expected="a finite loss",
            found=str(loss),
            todo="lower pretraining_rate, or look for absurd values in the training set",
        )
    return loss


def _shared_tensors(network: nn.Module, objective: nn.Module) -> dict[str, Tensor]:
    """Return what the objective shares with the network, by the network's names."""
    theirs = {id(tensor) for tensor in objective.state_dict(keep_vars=True).values()}
    ours = network.state_dict(keep_vars=True)
    return {name: tensor for name, tensor in ours.items() if id(tensor) in theirs}


def _objective_of(
    fitting: Network, network: nn.Module, hyper_parameters: HyperParameters
) -> nn.Module:
    if fitting.pretraining is None:
        raise TypeError("a family without pre-training has no trunk")
    return fitting.pretraining(network, hyper_parameters)


def pretrained_trunk(fitting: Network, task: PretrainingTask, watch: Supervision) -> bytes:
    """Return the pre-trained trunk, as safetensors: what the objective shares with the network.

    Raises
    ------
    TrainingCancelledError
        Where its owner cancels; the checkpoint stays.
    TrainingError
        Where the loss is not finite.
    """
    device, file = task.compute.device, CheckpointFile(path=watch.checkpoint, token=watch.token)
    with torch_threads(task.compute.threads):
        with own_randomness(task.seed, device):
            network = untrained_network(
                fitting, task.hyper_parameters, task.shape, task.view, task.n_cases
            )
        with own_randomness(task.seed, device):
            objective = _objective_of(fitting, network, task.hyper_parameters)
            session = _Session(objective, task, watch)
            saved = file.load()
            if saved is not None:
                session.resume(saved)
            while session.epochs_done < session.epochs:
                record = session.epoch()
                file.save(session.checkpoint(file.token))
                watch.reporter.epoch(record)
    tensors = _shared_tensors(network, objective)
    return safetensors.torch.save(
        {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    )


def adopt_trunk(
    network: nn.Module, fitting: Network, hyper_parameters: HyperParameters, trunk: bytes
) -> None:
    """Put a pre-trained trunk into a network, in place.

    Raises
    ------
    BundleError
        Where it is the trunk of another network.
    """
    with own_randomness(0, "cpu"):  # laying out the objective must not move the fit's generator
        objective = _objective_of(fitting, network, hyper_parameters)
    try:
        tensors = safetensors.torch.load(trunk)
    except (safetensors.SafetensorError, KeyError, ValueError, RuntimeError) as error:
        raise BundleError("the trunk is not safetensors", found=str(error)) from error
    difference = first_difference(tensors, _shared_tensors(network, objective))
    if difference is not None:
        raise BundleError(
            "the trunk is that of another network",
            found=difference,
            todo="pre-train it again with the hyper-parameters of this fit",
        )
    network.load_state_dict(tensors, strict=False)
