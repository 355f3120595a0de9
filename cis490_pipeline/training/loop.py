"""The one torch loop, for every network family.

Shape suffixes: B a batch of cases, C channels, T timepoints, K classes.

Weighted cross-entropy, warm-up and cosine, gradient clipping, autocast on CUDA, the best weights by
id_val macro F1, patience in evaluations, a checkpoint and a cancel check after every epoch (see
``schedule.Budget`` for what an epoch is). Batches are gathered in this process: the shards are
memory-mapped and a gather costs less than 2 % of a step, so loader workers would only cost memory.

Everything random comes from ``seed``: the order of cases as a pure function, initial weights and
dropout from torch's generator, which is forked, seeded and saved in the checkpoint. So a fit that
was killed ends, on the CPU, with the same weights as one that was not. The owner is asked before
every epoch, and within one every hundred steps.

Not here: the network (the family), the class weights (``objective``), what comes before it
(``pretrain``), the bundle (``run``).
"""

import math
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor, nn

from cis490_pipeline.datasets.cases import SequenceView
from cis490_pipeline.errors import TrainingError
from cis490_pipeline.models.classifier import (
    FitTask,
    Inputs,
    Network,
    NetworkHyperParameters,
    narrow,
)
from cis490_pipeline.models.networks.classifier import (
    NetworkClassifier,
    network_logits,
    torch_threads,
)
from cis490_pipeline.models.views import channel_view
from cis490_pipeline.training.augmentation import view_of_pass
from cis490_pipeline.training.checkpoint import Checkpoint, CheckpointFile, LoopState
from cis490_pipeline.training.fitted import (
    STEPS_BETWEEN_QUESTIONS,
    Fitted,
    Supervision,
    macro_f1_of,
)
from cis490_pipeline.training.groups import parameter_groups
from cis490_pipeline.training.objective import weighted_cross_entropy
from cis490_pipeline.training.precision import Precision, precision_on
from cis490_pipeline.training.pretrain import adopt_trunk, pretrained_trunk, pretraining_task
from cis490_pipeline.training.progress import EpochRecord
from cis490_pipeline.training.randomness import own_randomness
from cis490_pipeline.training.schedule import Budget, budget_of, learning_rate
from cis490_pipeline.training.shuffle import batches
from cis490_pipeline.training.state_tensors import (
    optimiser_tensors,
    random_state_tensors,
    restore_optimiser,
    restore_random_state,
    snapshot,
    with_prefix,
    without_prefix,
)
from cis490_pipeline.training.untrained import untrained_network


@dataclass(slots=True, kw_only=True, eq=False)
class _Best:
    """The weights to keep: highest id_val macro F1, then lowest id_val loss.

    The loss decides between equal scores: on a small id_val the macro F1 reaches its best value
    many evaluations before the network does.
    """

    macro_f1: float = -math.inf
    loss: float = math.inf
    epoch: int = 0
    tensors: dict[str, Tensor] = field(default_factory=dict[str, Tensor])

    def offer(self, macro_f1: float, loss: float, epoch: int, network: nn.Module) -> None:
        """Keep the network's weights if they are better."""
        if (macro_f1, -loss) > (self.macro_f1, -self.loss):
            self.macro_f1, self.loss, self.epoch = macro_f1, loss, epoch
            self.tensors = snapshot(network)


class _Session:
    """A fit under way: the network, its optimiser, the best weights so far."""

    def __init__(
        self, network: nn.Module, task: FitTask, inputs: Inputs, watch: Supervision
    ) -> None:
        self.task = task
        self.inputs = inputs
        self.watch = watch
        self.network = network.to(task.compute.device)
        self.chosen = narrow(task.hyper_parameters, NetworkHyperParameters)
        self.budget: Budget = budget_of(self.chosen, task.train.n_cases, task.shape.n_values)
        self.view: SequenceView = channel_view(task.train, inputs)
        self.precision: Precision = precision_on(task.compute.device)
        self.scaler = torch.amp.GradScaler(
            self.precision.device_type, enabled=self.precision.scales_loss
        )
        self.optimiser = torch.optim.AdamW(
            parameter_groups(network, self.chosen.weight_decay), lr=self.chosen.learning_rate
        )
        self.weight_K = torch.tensor(
            task.class_weight_K, dtype=torch.float32, device=task.compute.device
        )
        self.best = _Best()
        self.history: list[EpochRecord] = []
        self.epochs_done = 0

    @property
    def steps_done(self) -> int:
        """Optimiser steps so far."""
        return self.epochs_done * self.budget.passes_per_epoch * self.budget.steps_per_pass

    @property
    def finished(self) -> bool:
        """Whether the budget is spent or patience is over."""
        waited = self.epochs_done - self.best.epoch
        impatient = waited >= self.chosen.patience and self.steps_done >= self.budget.min_steps
        return impatient or self.epochs_done >= self.budget.epochs

    def _tensors_of(
        self, view: SequenceView, index_B: np.ndarray[tuple[int], np.dtype[np.int64]]
    ) -> list[Tensor]:
        x_BCT = np.asarray(view.gather(index_B), dtype=np.float32)
        y_B = self.task.train.y_N[index_B]
        return [torch.from_numpy(array).to(self.task.compute.device) for array in (x_BCT, y_B)]

    def _step(self, x_BCT: Tensor, y_B: Tensor, rate: float) -> Tensor:
        """Make one optimiser step; return the loss."""
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        with self.precision.autocast():
            logits_BK = self.network(x_BCT)
        loss = weighted_cross_entropy(logits_BK, y_B, self.weight_K, self.chosen.label_smoothing)
        self.optimiser.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()
        self.scaler.unscale_(self.optimiser)
        nn.utils.clip_grad_norm_(self.network.parameters(), self.chosen.gradient_clip)
        self.scaler.step(self.optimiser)
        self.scaler.update()
        return loss.detach()

    def train_epoch(self) -> tuple[float, float]:
        """Make the passes of one epoch; return mean loss and last learning rate."""
        self.network.train()
        budget, rate = self.budget, 0.0
        step = self.steps_done
        losses: list[Tensor] = []
        first = self.epochs_done * budget.passes_per_epoch
        for number in range(first, first + budget.passes_per_epoch):
            view = view_of_pass(self.view, self.chosen.moved_share, self.task.seed, number)
            for index_B in batches(
                self.task.train.n_cases, budget.batch_size, seed=self.task.seed, epoch=number
            ):
                if len(losses) % STEPS_BETWEEN_QUESTIONS == 0:
                    self.watch.require_wanted(f"epoch {self.epochs_done + 1}")
                rate = learning_rate(
                    step,
                    budget.total_steps,
                    peak=self.chosen.learning_rate,
                    warm_up_share=self.chosen.warm_up_share,
                )
                x_BCT, y_B = self._tensors_of(view, index_B)
                losses.append(self._step(x_BCT, y_B, rate))
                step += 1
        self.epochs_done += 1
        return float(torch.stack(losses).mean()), rate

    def evaluate(self, train_loss: float, rate: float) -> EpochRecord:
        """Score id_val, keep the weights if they are the best, and record it."""
        logits_NK = network_logits(self.network, self.task.id_val, self.inputs, self.task.compute)
        y_N = self.task.id_val.y_N
        score = macro_f1_of(logits_NK, y_N)
        loss = weighted_cross_entropy(
            torch.from_numpy(logits_NK), torch.from_numpy(y_N), self.weight_K.cpu(), 0.0
        )
        if score is None or not math.isfinite(train_loss) or not math.isfinite(float(loss)):
            raise TrainingError(
                "the fit has diverged",
                where=f"epoch {self.epochs_done}",
                expected="a finite loss",
                found=f"train {train_loss}, id_val {float(loss)}",
                todo="lower learning_rate, or look for absurd values in the training set",
            )
        self.best.offer(score, float(loss), self.epochs_done, self.network)
        record = EpochRecord(
            step=self.steps_done,
            epoch=self.epochs_done,
            train_loss=train_loss,
            id_val_macro_f1=score,
            lr=rate,
            most_epochs=self.budget.epochs,
        )
        self.history.append(record)
        return record

    def checkpoint(self, token: str) -> Checkpoint:
        """Return everything that the next epoch depends on."""
        scale = self.scaler.state_dict()
        state = LoopState(
            token=token,
            epochs_done=self.epochs_done,
            best_epoch=self.best.epoch,
            best_macro_f1=self.best.macro_f1,
            best_loss=self.best.loss,
            history=tuple(self.history),
            loss_scale={name: float(value) for name, value in scale.items()},
        )
        device = self.task.compute.device
        tensors = {
            **with_prefix("network", self.network.state_dict()),
            **with_prefix("best", self.best.tensors),
            **with_prefix("optimiser", optimiser_tensors(self.optimiser)),
            **with_prefix("random", random_state_tensors(device)),
        }
        return Checkpoint(state=state, tensors=tensors)

    def resume(self, checkpoint: Checkpoint) -> None:
        """Go back to where a checkpoint was taken."""
        state, tensors = checkpoint.state, checkpoint.tensors
        self.network.load_state_dict(without_prefix("network", tensors))
        restore_optimiser(self.optimiser, without_prefix("optimiser", tensors))
        restore_random_state(without_prefix("random", tensors), self.task.compute.device)
        if state.loss_scale:
            self.scaler.load_state_dict(
                {
                    name: int(value) if name.startswith(("growth_interval", "_growth")) else value
                    for name, value in state.loss_scale.items()
                }
            )
        self.best = _Best(
            macro_f1=state.best_macro_f1,
            loss=state.best_loss,
            epoch=state.best_epoch,
            tensors=without_prefix("best", tensors),
        )
        self.history = list(state.history)
        self.epochs_done = state.epochs_done


def _begin(session: _Session, fitting: Network) -> None:
    """Give the network of a pre-trained family its trunk, made in memory where none is given."""
    if fitting.pretraining is None:
        return
    task, chosen = session.task, session.task.hyper_parameters
    trunk = task.trunk
    if trunk is None:
        unlabelled = pretraining_task(task.train, session.inputs, chosen, task.seed, task.compute)
        trunk = pretrained_trunk(fitting, unlabelled, replace(session.watch, checkpoint=None))
    adopt_trunk(session.network, fitting, chosen, trunk)


def _run(session: _Session, fitting: Network, watch: Supervision) -> None:
    file = CheckpointFile(path=watch.checkpoint, token=watch.token)
    saved = file.load()
    if saved is not None:
        session.resume(saved)
    else:
        _begin(session, fitting)
    while not session.finished:
        record = session.evaluate(*session.train_epoch())
        file.save(session.checkpoint(file.token))
        watch.reporter.epoch(record)


def fit_network(fitting: Network, task: FitTask, inputs: Inputs, watch: Supervision) -> Fitted:
    """Train a network of any family and return it with its best weights.

    Raises
    ------
    TrainingCancelledError
        Where its owner cancels; the checkpoint of the last whole epoch stays.
    TrainingError
        Where the loss is not finite.
    """
    with own_randomness(task.seed, task.compute.device), torch_threads(task.compute.threads):
        network = untrained_network(
            fitting,
            task.hyper_parameters,
            task.shape,
            channel_view(task.train, inputs),
            task.train.n_cases,
        )
        session = _Session(network, task, inputs, watch)
        _run(session, fitting, watch)
    network.load_state_dict(session.best.tensors)
    network.requires_grad_(requires_grad=False).eval()
    return Fitted(
        classifier=NetworkClassifier(network=network, inputs=inputs, compute=task.compute),
        id_val_macro_f1=session.best.macro_f1,
        rounds=session.epochs_done,
        best_round=session.best.epoch,
        steps=session.steps_done,
        history=tuple(session.history),
    )
