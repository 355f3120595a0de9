"""A fitted network behind the ``Classifier`` interface, with safetensors as its stored form.

Shape suffixes: N cases, B a batch of cases, C channels, T timepoints, K classes.

Not here: training (``training.loop``).
"""

import contextlib
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import safetensors
import safetensors.torch
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cis490_pipeline.datasets.cases import Cases
from cis490_pipeline.edge.probabilities import softmax
from cis490_pipeline.models.classifier import (
    CaseShape,
    Classifier,
    Compute,
    HyperParameters,
    Inputs,
    StoredModel,
)
from cis490_pipeline.models.tensor_weights import WEIGHTS_FILE, refusal, weights_bytes
from cis490_pipeline.models.views import channel_view

if TYPE_CHECKING:
    import onnx

_LARGEST_BATCH: Final = 512
_VALUES_AT_ONCE: Final = 1_000_000
"""Of a prediction batch: a network holds a dozen copies of its input, and small ones stay in the
processor's cache."""


@contextlib.contextmanager
def torch_threads(threads: int) -> Generator[None]:
    """Let torch use so many threads, and put the process's setting back afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def network_logits(
    network: nn.Module, cases: Cases, inputs: Inputs, compute: Compute
) -> NDArray[np.float64]:
    """Return the logits ``[N, K]`` in evaluation mode; the network's mode is put back."""
    view = channel_view(cases, inputs)
    per_case = max(1, view.n_channels * view.n_timepoints)
    batch_size = max(1, min(_LARGEST_BATCH, _VALUES_AT_ONCE // per_case))
    was_training = network.training
    network.eval()
    rows: list[NDArray[np.float64]] = []
    with torch.inference_mode():
        for start in range(0, cases.n_cases, batch_size):
            index_B = np.arange(start, min(start + batch_size, cases.n_cases))
            x_BCT = torch.from_numpy(np.ascontiguousarray(view.gather(index_B), dtype=np.float32))
            rows.append(network(x_BCT.to(compute.device)).double().cpu().numpy())
    network.train(was_training)
    return np.concatenate(rows) if rows else np.empty((0, cases.n_classes))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NetworkClassifier:
    """A network that is not trained any more."""

    network: nn.Module
    inputs: Inputs
    compute: Compute

    def predict_proba(self, cases: Cases) -> NDArray[np.float64]:
        """Return the softmax of the logits."""
        with torch_threads(self.compute.threads):
            return softmax(network_logits(self.network, cases, self.inputs, self.compute))

    def weights(self) -> dict[str, bytes]:
        """Return all parameters and buffers, the scaling among them."""
        state = {k: v.detach().cpu().contiguous() for k, v in self.network.state_dict().items()}
        return {WEIGHTS_FILE: safetensors.torch.save(state)}

    def onnx_graph(self, shape: CaseShape) -> "onnx.ModelProto":
        """Return the network and a softmax."""
        from cis490_pipeline.models.networks.onnx_graph import network_graph

        return network_graph(self.network, shape)


def _tensors(stored: StoredModel) -> dict[str, Tensor]:
    try:
        return safetensors.torch.load(weights_bytes(stored))
    except (safetensors.SafetensorError, KeyError, ValueError, RuntimeError) as error:
        raise refusal("weights are not safetensors", found=str(error)) from error


def first_difference(found: dict[str, Tensor], expected: dict[str, Tensor]) -> str | None:
    """Return in words the first tensor that is not as expected; None where there is none."""
    for name in sorted(found.keys() ^ expected.keys()):
        return f"tensor {name!r} is {'surplus' if name in found else 'absent'}"
    for name, tensor in expected.items():
        theirs = found[name]
        if theirs.shape != tensor.shape or theirs.dtype != tensor.dtype:
            return f"tensor {name!r} is {theirs.dtype} {tuple(theirs.shape)}"
        if tensor.is_floating_point() and not bool(torch.isfinite(theirs).all()):
            return f"tensor {name!r} has values that are not finite"
    return None


def load_network(
    build: Callable[[HyperParameters, CaseShape], nn.Module], inputs: Inputs, stored: StoredModel
) -> Classifier:
    """Rebuild a network from its bundle.

    It is laid out on the ``meta`` device first: a header that asks for a huge network costs no
    memory, its tensors just do not match.

    Raises
    ------
    BundleError
        Where the tensors are not those of this network.
    """
    found = _tensors(stored)
    with torch.device("meta"):
        network = build(stored.hyper_parameters, stored.shape)
    difference = first_difference(found, network.state_dict())
    if difference is not None:
        raise refusal("weights of another network", found=difference)
    network.load_state_dict(found, strict=True, assign=True)
    network.requires_grad_(requires_grad=False)
    network.to(stored.compute.device).eval()
    return NetworkClassifier(network=network, inputs=inputs, compute=stored.compute)
