"""A tiny fit for each queue, through the project's own training, before a machine takes real work.

A driver that fails, a wheel for other processors and a device that computes nonsense show here in
seconds and not in somebody's run. A process that such a fault kills outright has registered
nowhere. Not here: whether the machine may serve the queue (``queues``).

Shape suffixes: N cases, C channels, T timepoints.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

import numpy as np

from cis490_pipeline.datasets.array_files import LabelledArrays
from cis490_pipeline.errors import Cis490Error, TrainingCancelledError
from cis490_pipeline.models.catalog import family
from cis490_pipeline.models.classifier import Compute
from cis490_pipeline.training.fitted import Supervision
from cis490_pipeline.training.on_arrays import fit_on_arrays
from cis490_pipeline.training.request import hyper_parameters_from_overrides
from cis490_pipeline.workers.queues import Queue, QueueVerdict

LONGEST_S: Final = 120.0
"""The fit takes a second, the import of torch from a cold disk half a minute."""
LEAST_ACCURACY: Final = 0.9
"""The classes lie three standard deviations apart in every timepoint."""
_FITS: Final[Mapping[Queue, tuple[str, Mapping[str, object]]]] = MappingProxyType(
    {Queue.CPU: ("gbt", {"rounds": 20}), Queue.GPU: ("mlp", {"epochs": 5})}
)
_N_CASES, _N_CHANNELS, _N_TIMEPOINTS = 200, 3, 20

# What broken drivers and libraries raise: torch RuntimeError, and asserts that it was built with
# CUDA; XGBoost a ValueError.
_FAULTS: Final = (ImportError, OSError, RuntimeError, ValueError, AssertionError, MemoryError)

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTest:
    """How the fit of a queue went.

    Attributes
    ----------
    device
        torch's name of where it ran; families without a network are on the CPU.
    seconds
        With the import of the learning libraries, where this process had not yet done that.
    why_failed
        None where it passed.
    """

    queue: Queue
    family: str
    device: str
    seconds: float
    why_failed: str | None

    @property
    def passed(self) -> bool:
        """Whether the machine can do what the queue asks."""
        return self.why_failed is None


def self_test(
    queue: Queue, *, device: str, clock: Clock, threads: int = 1, seed: int = 0
) -> SelfTest:
    """Fit the queue's family on made-up cases and score it on others.

    Parameters
    ----------
    device
        torch's name of the device that fits of the queue run on.
    clock
        Seconds that never go back, e.g. ``time.monotonic``.
    """
    family_name, _ = _FITS[queue]
    started = clock()
    try:
        why = _fault(queue, Compute(threads=threads, device=device), clock, seed)
    except TrainingCancelledError:
        why = f"it took longer than {LONGEST_S:.0f} s"
    except (Cis490Error, *_FAULTS) as error:
        why = f"{type(error).__name__}: {error}".strip().partition("\n")[0]
    return SelfTest(
        queue=queue, family=family_name, device=device, seconds=clock() - started, why_failed=why
    )


def after_tests(
    verdicts: Sequence[QueueVerdict], tests: Sequence[SelfTest]
) -> tuple[QueueVerdict, ...]:
    """Return the verdicts with every failed test as a reason against its queue."""
    failed = {
        one.queue: f"its self-test failed: {one.why_failed}" for one in tests if not one.passed
    }
    return tuple(
        replace(one, reasons=(*one.reasons, failed[one.queue])) if one.queue in failed else one
        for one in verdicts
    )


def _fault(queue: Queue, compute: Compute, clock: Clock, seed: int) -> str | None:
    name, overrides = _FITS[queue]
    generator = np.random.default_rng(seed)
    unseen = _made_up(generator)
    ends = clock() + LONGEST_S
    model = fit_on_arrays(
        family(name),
        _made_up(generator),
        hyper_parameters=hyper_parameters_from_overrides(name, overrides),
        seed=seed,
        compute=compute,
        watch=Supervision(cancelled=lambda: clock() > ends),
    )
    p_NK = model.predict_proba(unseen, where="self-test")
    accuracy = float((p_NK.argmax(axis=1) == unseen.label_N).mean())
    if not accuracy >= LEAST_ACCURACY:
        return f"it learned nothing: accuracy {accuracy:.2f}, expected at least {LEAST_ACCURACY}"
    return None


def _made_up(generator: np.random.Generator) -> LabelledArrays:
    """Return cases of two classes, whose levels differ, with a tenth of the values missing."""
    label_N = np.arange(_N_CASES, dtype=np.int64) % 2
    x_NCT = generator.normal(size=(_N_CASES, _N_CHANNELS, _N_TIMEPOINTS)).astype(np.float32)
    x_NCT += 3.0 * label_N[:, np.newaxis, np.newaxis]
    x_NCT[generator.random(x_NCT.shape) < 0.1] = np.nan
    return LabelledArrays(x_NCT=x_NCT, label_N=label_N)
