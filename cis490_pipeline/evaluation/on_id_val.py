"""What id_val says of the models of a split: their scores, their gains, and which one is chosen.

The same for a split that is scored on a test set and for ``deploy``, which has none.

Not here: the rule (``choice``), the paired figures (``pairs``), any test set (``comparison``).
"""

from collections.abc import Mapping, Sequence

from cis490_pipeline.evaluation.bootstrap import BootstrapConfig
from cis490_pipeline.evaluation.choice import Candidate, Gain, ModeChoice, choose
from cis490_pipeline.evaluation.keys import ModelKey
from cis490_pipeline.evaluation.pairs import (
    configurations,
    least_paired_p,
    paired_difference,
    paired_p,
)
from cis490_pipeline.evaluation.predictions import Predictions
from cis490_pipeline.metrics.f1 import macro_f1
from cis490_pipeline.schema.channels import Mode


def id_val_score(found: Predictions) -> float | None:
    """Return macro F1 over all windows; None where no class has any."""
    return macro_f1(found.confusions().sum(axis=0))


def choose_each_mode(
    keys: Sequence[ModelKey],
    id_val: Mapping[ModelKey, Predictions],
    *,
    tried: Mapping[ModelKey, int],
    config: BootstrapConfig,
) -> tuple[ModeChoice, ...]:
    """Return what id_val chooses among these models, realistic before oracle.

    Parameters
    ----------
    keys
        The models of the split; a mode that none of them has is left out.
    id_val
        Their predictions; a model without any is no candidate.
    tried
        Of the models that were searched, how many combinations were tried.
    """
    judged = configurations(id_val)

    def gain(first: ModelKey, second: ModelKey) -> Gain:
        pair = judged[first], judged[second]
        return Gain(
            interval=paired_difference(*pair, config),
            p=paired_p(*pair, config),
            least_p=least_paired_p(*pair, config),
            n_tried=tried.get(first, 1),
        )

    scores = {key: id_val_score(found) for key, found in id_val.items()}
    candidates = [Candidate(key=key, id_val_macro_f1=scores.get(key)) for key in keys]
    return tuple(
        choose(mode, candidates, gain)
        for mode in (Mode.REALISTIC, Mode.ORACLE)
        if any(key.mode == mode for key in keys)
    )
