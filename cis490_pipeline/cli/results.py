"""Evaluation records as table rows and JSON values; absent stays absent.

Not here: the figures (``evaluation``).
"""

from collections.abc import Mapping

from cis490_pipeline.evaluation.records import EvaluationRecord


def model_columns() -> list[str]:
    """Return the header of the table of models."""
    return ["family", "mode", "context", "seed ", "macro F1", "95 % interval", "episodes ", "model"]


def model_row(record: EvaluationRecord) -> list[str]:
    """Return one line of the table of models."""
    fitted, evaluation = record.fitted, record.evaluation
    names = [fitted.family, fitted.mode, fitted.context, str(fitted.seed)]
    how = "reused" if fitted.reused else f"{fitted.seconds:.1f} s"
    if evaluation is None:
        return [*names, "untested", "no test set", "0", how]
    score = evaluation.macro_f1
    point = "untested" if score.point is None else f"{score.point:.3f}"
    interval = "none" if score.low is None else f"{score.low:.3f} – {score.high:.3f}"
    return [*names, point, interval, str(evaluation.n_episodes), how]


def model_values(record: EvaluationRecord) -> Mapping[str, object]:
    """Return one model's entry of ``cis490 evaluate --json``."""
    fitted, evaluation = record.fitted, record.evaluation
    score = evaluation.macro_f1 if evaluation is not None else None
    return {
        "family": fitted.family,
        "mode": fitted.mode,
        "context": fitted.context,
        "seed": fitted.seed,
        "bundle": fitted.bundle,
        "macro_f1": score.point if score else None,
        "ci_low": score.low if score else None,
        "ci_high": score.high if score else None,
        "n_episodes": evaluation.n_episodes if evaluation else 0,
        "n_windows": evaluation.n_windows if evaluation else 0,
        "untested_profiles": list(evaluation.scope.untested_profiles) if evaluation else None,
    }
