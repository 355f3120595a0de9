"""The state of a network fit between two epochs, in one file that appears whole or not at all.

One safetensors file per job identity: tensors by name, everything else as JSON in its metadata.
Nothing is unpickled. A file that is damaged, or was written by another commit or for other sizes,
is not patched up: the fit starts from its beginning.

Not here: what goes into it (``loop``, ``pretrain``).
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import safetensors
import safetensors.torch
from torch import Tensor

from cis490_pipeline.training.progress import EpochRecord
from cis490_pipeline.warehouse.atomic import write_bytes

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopState:
    """What a fit knows apart from tensors; ``token`` says for which fit and code it holds.

    Pre-training has no best epoch: nothing of id_val takes part in it.
    """

    token: str
    epochs_done: int
    history: tuple[EpochRecord, ...]
    best_epoch: int = 0
    best_macro_f1: float = 0.0
    best_loss: float = 0.0
    loss_scale: Mapping[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Checkpoint:
    """State and tensors of a fit after a whole number of epochs."""

    state: LoopState
    tensors: Mapping[str, Tensor]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointFile:
    """Where a fit keeps its state; ``path`` None keeps none."""

    path: Path | None
    token: str

    def save(self, checkpoint: Checkpoint) -> None:
        """Replace the file by this state."""
        if self.path is None:
            return
        tensors = {name: t.detach().cpu().contiguous() for name, t in checkpoint.tensors.items()}
        metadata = {"state": msgspec.json.encode(checkpoint.state).decode()}
        write_bytes(self.path, safetensors.torch.save(tensors, metadata=metadata))

    def load(self) -> Checkpoint | None:
        """Return the saved state; None where there is none that holds for this fit."""
        if self.path is None or not self.path.is_file():
            return None
        try:
            checkpoint = _read(self.path)
        except (safetensors.SafetensorError, msgspec.DecodeError, KeyError, OSError) as error:
            _LOG.warning("checkpoint %s is damaged (%s): starting anew", self.path, error)
            return None
        if checkpoint.state.token != self.token:
            _LOG.warning("checkpoint %s is of another fit or commit: starting anew", self.path)
            return None
        return checkpoint

    def remove(self) -> None:
        """Forget the state, after the bundle is committed."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)


def _read(path: Path) -> Checkpoint:
    with safetensors.safe_open(path, framework="pt") as file:
        metadata = file.metadata() or {}
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    state = msgspec.json.decode(metadata["state"], type=LoopState)
    return Checkpoint(state=state, tensors=tensors)
