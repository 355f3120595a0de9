"""Windows drawn from a set, their attributions, and the cells of any of their hosts.

Shape suffixes: N windows, F input columns, C channels.

Not here: whose windows (``on_split``), the methods (``attributions``).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.datasets.array_cases import take
from cis490_pipeline.datasets.cases import Cases
from cis490_pipeline.datasets.loading import LoadedCases, load_cases
from cis490_pipeline.datasets.members import Member
from cis490_pipeline.explain.agreement import Ranked
from cis490_pipeline.explain.attributions import Attributions, attribute
from cis490_pipeline.explain.columns import by_phase, channels_from
from cis490_pipeline.explain.result import ExplainOptions
from cis490_pipeline.explain.windows import draw_windows
from cis490_pipeline.models.bundle import Bundle
from cis490_pipeline.models.classifier import Classifier
from cis490_pipeline.schema.channels import visible_channels
from cis490_pipeline.warehouse.warehouse import Warehouse


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DrawnWindows:
    """Some windows of a set, and the host of each."""

    cases: Cases
    host_N: NDArray[np.str_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Explained:
    """Drawn windows with their attributions by input column, and signed sums by channel."""

    drawn: DrawnWindows
    attributions: Attributions
    channel_NC: NDArray[np.float64]

    def ranked(self, name: str, host: str | None = None) -> Ranked:
        """Return the cells of one host's windows, or of all."""
        cases = self.drawn.cases
        here_N = np.ones(cases.n_cases, bool) if host is None else self.drawn.host_N == host
        y_N = cases.y_N[here_N]
        return Ranked(
            name=name,
            cells=by_phase(self.channel_NC[here_N], y_N, cases.n_classes),
            n_windows=tuple(np.bincount(y_N, minlength=cases.n_classes).tolist()),
        )

    def hosts(self) -> tuple[str, ...]:
        """Return the hosts that the windows come from, sorted."""
        return tuple(sorted({str(host) for host in self.drawn.host_N}))


def load_for(warehouse: Warehouse, bundle: Bundle, members: Sequence[Member]) -> LoadedCases:
    """Load members as a bundle sees them: in its mode, its context and its view."""
    return load_cases(
        warehouse,
        members,
        bundle.header.mode,
        summary=bundle.spec.inputs.has_summary,
        sequences=bundle.spec.inputs.has_sequences,
        context=bundle.header.context,
    )


def draw_from(
    warehouse: Warehouse, bundle: Bundle, members: Sequence[Member], options: ExplainOptions
) -> DrawnWindows:
    """Draw the windows of a set that are explained."""
    loaded = load_for(warehouse, bundle, members)
    host_N = loaded.keys["host_id"].to_numpy().astype(str)
    generator = np.random.default_rng(options.seed)
    index_N = draw_windows(loaded.cases.y_N, host_N, options.windows_per_phase, generator)
    return DrawnWindows(cases=take(loaded.cases, index_N), host_N=host_N[index_N])


def explain_windows(bundle: Bundle, classifier: Classifier, drawn: DrawnWindows) -> Explained:
    """Attribute drawn windows by a bundle's own classifier, or by another one of its shape."""
    attributions = attribute(bundle.spec, classifier, drawn.cases)
    n_channels = len(visible_channels(bundle.header.mode))
    return Explained(
        drawn=drawn,
        attributions=attributions,
        channel_NC=channels_from(attributions.value_NF, n_channels),
    )
