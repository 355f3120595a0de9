"""Small synthetic cases, and fitted models on them, for the tests of models and training.

Not here: anything that resembles telemetry; no claim about accuracy rests on these.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from cis490_pipeline.datasets.cases import ArraySequences, Cases
from cis490_pipeline.models.catalog import family
from cis490_pipeline.models.classifier import Context, FamilySpec, NetworkHyperParameters
from cis490_pipeline.models.registry import ModelRegistry
from cis490_pipeline.schema.channels import Mode, visible_channels
from cis490_pipeline.training.job import Job, Provenance, TrainingOutcome, Workshop
from cis490_pipeline.training.request import TrainingRequest, hyper_parameters_from_overrides
from cis490_pipeline.training.run import train

N_CLASSES = 5
PROVENANCE = Provenance(code_commit="c0ffee", library_versions={"numpy": np.__version__})


def make_cases(
    n_cases: int,
    n_channels: int,
    *,
    seed: int = 0,
    n_timepoints: int = 20,
    classes: tuple[int, ...] = (0, 1, 2, 3, 4),
    n_classes: int = N_CLASSES,
    n_informative: int = 1,
) -> Cases:
    """Return cases whose class shows in the level of the first channels and in the time."""
    generator = np.random.default_rng(seed)
    y_N = np.asarray(classes, dtype=np.int64)[np.arange(n_cases) % len(classes)]
    x_NCT = generator.normal(size=(n_cases, n_channels, n_timepoints)).astype(np.float32)
    if n_channels:
        x_NCT[:, :n_informative] += 3.0 * y_N[:, None, None]
    hidden = generator.random(x_NCT.shape) < 0.1
    x_NCT[hidden] = np.nan
    mean_NC = np.nanmean(np.where(np.isnan(x_NCT), 0.0, x_NCT), axis=2)
    columns = [mean_NC, *(generator.normal(size=mean_NC.shape) for _ in range(4))]
    columns.append(np.isnan(x_NCT).mean(axis=2))
    summary_NF = np.stack(columns, axis=2).reshape(n_cases, -1).astype(np.float32)
    return Cases(
        y_N=y_N,
        cluster_N=np.arange(n_cases, dtype=np.int64) // 5,
        t_center_s_N=5.0 + 20.0 * y_N + generator.uniform(0, 15, n_cases).round(),
        summary_NF=summary_NF if n_channels else None,
        sequences=ArraySequences(x_NCT=x_NCT) if n_channels else None,
        n_classes=n_classes,
    )


def cases_for(mode: Mode, n_cases: int, *, seed: int = 0, **options: object) -> Cases:
    """Return cases with the channels of a mode."""
    return make_cases(n_cases, len(visible_channels(mode)), seed=seed, **options)


_TINY = {
    "mlp": {"hidden": 16},
    "cnn": {"filters": 8, "blocks": 2},
    "gru": {"width": 8, "hidden": 8},
    "lstm": {"width": 8, "hidden": 8},
    "transformer": {"width": 8, "heads": 2, "layers": 1},
    "bert": {"width": 8, "heads": 2, "layers": 1, "pretraining_steps": 10},
    "minirocket": {"kernels": 84},
    "gbt": {"rounds": 8},
    "blend": {"rounds": 8, "epochs": 8},
    "permuted_labels": {"rounds": 8},
}


def quick(spec: FamilySpec) -> dict[str, object]:
    """Return overrides that fit a family in no time, where its defaults take longer."""
    few = isinstance(spec.hyper_parameters, NetworkHyperParameters)
    return {**_TINY.get(spec.name, {}), **({"epochs": 8} if few else {})}


def request_for(name: str, mode: Mode, *, seed: int = 0, **overrides: object) -> TrainingRequest:
    """Return a quick request."""
    chosen = {**quick(family(name)), **overrides}
    return TrainingRequest(
        family=name,
        mode=mode,
        context=Context.NONE,
        seed=seed,
        statuses=("accepted",),
        hyper_parameters=hyper_parameters_from_overrides(name, chosen),
    )


class Loader:
    """Serves two slices and counts how often it was asked."""

    def __init__(self, train_cases: Cases, id_val: Cases) -> None:
        self.slices = (train_cases, id_val)
        self.calls = 0

    def __call__(self) -> tuple[Cases, Cases]:
        """Return train and id_val."""
        self.calls += 1
        return self.slices


def loader_for(mode: Mode) -> Loader:
    """Return a loader of 60 + 30 cases."""
    return Loader(cases_for(mode, 60, seed=1), cases_for(mode, 30, seed=2))


def run_job(
    request: TrainingRequest,
    directory: Path,
    load: Loader | None = None,
    provenance: Provenance = PROVENANCE,
    **options: object,
) -> TrainingOutcome:
    """Run a job below a directory, with everything that the test does not care about filled in."""
    job = Job(
        request=request,
        split="host=lab-b",
        training_set_hash="a" * 64,
        training_ids_hash="b" * 64,
        provenance=provenance,
    )
    workshop = Workshop(
        registry=ModelRegistry(directory / "models"), work_dir=directory / "work", **options
    )
    return train(job, load or loader_for(request.mode), workshop)


def all_missing(cases: Cases) -> Cases:
    """Return the same cases with every value missing."""
    if cases.sequences is None or cases.summary_NF is None:
        return cases
    x_NCT = cases.sequences.gather(np.arange(cases.n_cases))
    return replace(
        cases,
        summary_NF=np.full_like(cases.summary_NF, np.nan),
        sequences=ArraySequences(x_NCT=np.full_like(x_NCT, np.nan)),
    )


def without_channel(cases: Cases, channel: int) -> Cases:
    """Return the same cases with one channel missing throughout."""
    if cases.sequences is None or cases.summary_NF is None:
        return cases
    x_NCT = cases.sequences.gather(np.arange(cases.n_cases)).copy()
    x_NCT[:, channel] = np.nan
    summary_NF = cases.summary_NF.copy()
    summary_NF[:, 6 * channel : 6 * channel + 5] = np.nan
    return replace(cases, summary_NF=summary_NF, sequences=ArraySequences(x_NCT=x_NCT))
