"""A network before its first step: laid out from the seed, with the scaling fitted on train.

Not here: the steps (``loop``, ``pretrain``).
"""

from torch import nn

from cis490_pipeline.datasets.cases import SequenceView
from cis490_pipeline.models.classifier import CaseShape, HyperParameters, Network
from cis490_pipeline.models.networks.standardise import Standardise
from cis490_pipeline.models.scaling import fit_scaling


def untrained_network(
    fitting: Network,
    hyper_parameters: HyperParameters,
    shape: CaseShape,
    view: SequenceView,
    n_cases: int,
) -> nn.Module:
    """Return a network whose weights come from torch's generator as it stands."""
    network = fitting.build(hyper_parameters, shape)
    scaling = fit_scaling(view, n_cases)
    for module in network.modules():
        if isinstance(module, Standardise):
            module.adopt(scaling)
    return network
