"""How often the intervals hold the truth: ``python -m cis490_pipeline_tests.benchmarks.coverage``.

Simulated test sets of a world whose macro F1 is known (``coverage_world``). Counted are: the
intervals over episodes, by the code of the package; the interval that resamples windows, which
exists here only, to show what it is worth; with several hosts, the intervals conditional on them
and across them; the mean over seeds; and how often two equal models are told apart.

In: nothing. Out: tables in Markdown. Not here: intervals of a real test set (``evaluation``).
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click
import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.evaluation.across_hosts import interval_across_hosts
from cis490_pipeline.evaluation.bootstrap import (
    BootstrapConfig,
    Contrast,
    contrast_interval,
    macro_f1_interval,
    resample,
)
from cis490_pipeline.evaluation.interval import Interval, SampleSize
from cis490_pipeline.evaluation.permutation import paired_permutation_p
from cis490_pipeline.evaluation.seeds import seeds_interval
from cis490_pipeline.metrics.f1 import macro_f1_stack, supported_classes
from cis490_pipeline.schema.phases import N_PHASES
from cis490_pipeline_tests.benchmarks.coverage_world import World

SEED: Final = 20261123
_ALPHA: Final = 0.05
_PER_HOST: Final = 20
_EPISODES: Final = World()
_HOSTS: Final = World(host_sd=0.6)
_SEEDS: Final = World(seed_sd=0.1, shared=0.5)
"""Trainings from other seeds are 0.02 of macro F1 apart: as those of networks on the corpus."""
_TEST_SET: Final = 100
"""Episodes of a test set that several seeds are scored on."""

Ends = tuple[float | None, float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How much is simulated; ``sets`` maps a number of episodes to that of simulated test sets."""

    truth_episodes: int
    sets: Mapping[int, int]
    host_sets: Mapping[int, int]
    pair_sets: Mapping[int, int]
    seed_sets: Mapping[int, int]
    n_resamples: int = 2000


FULL: Final = Scale(
    truth_episodes=1_000_000,
    sets={20: 4000, 100: 4000, 500: 2000},
    host_sets={6: 1000, 12: 1000},
    pair_sets={6: 2000, 10: 2000, 24: 2000, 100: 1000},
    seed_sets={2: 2000, 3: 2000, 5: 2000, 10: 1000},
)
QUICK: Final = Scale(
    truth_episodes=200_000,
    sets={20: 200, 100: 200},
    host_sets={6: 100},
    pair_sets={10: 200, 24: 200},
    seed_sets={3: 200},
    n_resamples=500,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One size: the share of sets for which each thing happened, and other means."""

    n: int
    n_sets: int
    shares: dict[str, float]


def _size(n_episodes: int) -> SampleSize:
    return SampleSize(n_hosts=1, n_samples=1, n_episodes=n_episodes, n_windows=1, condition="")


def _holds(ends: Ends, truth: float) -> bool:
    low, high = ends
    return low is not None and high is not None and low <= truth <= high


def window_interval(
    confusions_EKK: NDArray[np.int64], n_resamples: int, rng: np.random.Generator
) -> tuple[float, float]:
    """Return the percentile interval from resampled *windows*: what must not be done.

    Drawing windows with replacement is drawing cells of the confusion matrix with their shares.
    """
    total_KK = confusions_EKK.sum(axis=0)
    n_windows = int(total_KK.sum())
    drawn = rng.multinomial(n_windows, (total_KK / n_windows).ravel(), size=n_resamples)
    value_B = macro_f1_stack(drawn.reshape(-1, N_PHASES, N_PHASES), supported_classes(total_KK))
    low, high = np.nanquantile(value_B, [_ALPHA / 2.0, 1.0 - _ALPHA / 2.0])
    return float(low), float(high)


def _means(n: int, sets: Iterator[dict[str, float]]) -> Row:
    found = list(sets)
    shares = {name: float(np.mean([one[name] for one in found])) for name in found[0]}
    return Row(n=n, n_sets=len(found), shares=shares)


def episode_row(n_episodes: int, n_sets: int, truth: float, n_resamples: int) -> Row:
    """Count, over simulated test sets of one host, which intervals hold the truth."""

    def one(number: int) -> dict[str, float]:
        rng = np.random.default_rng([SEED, 1, n_episodes, number])
        confusions_EKK = _EPISODES.episodes(rng, n_episodes)[:, 0]
        config = BootstrapConfig(seed=number, n_resamples=n_resamples)
        found = macro_f1_interval(confusions_EKK, config=config, size=_size(n_episodes))
        naive = window_interval(confusions_EKK, n_resamples, rng)
        return _judged(found, truth) | {
            "windows (naive)": _holds(naive, truth),
            "width": (found.high or 0.0) - (found.low or 0.0),
            "naive width": naive[1] - naive[0],
        }

    return _means(n_episodes, (one(number) for number in range(n_sets)))


def _judged(found: Interval, truth: float) -> dict[str, float]:
    bca: Ends = (found.bca_low, found.bca_high)
    half = 1.96 * (found.standard_error or 0.0)
    point = found.point or 0.0
    return {
        "percentile": _holds((found.low, found.high), truth),
        "BCa": _holds(bca if found.bca_low is not None else (found.low, found.high), truth),
        "sandwich": _holds((point - half, point + half), truth),
        "flagged": found.disagreement is not None,
        "no BCa": found.bca_low is None,
        "design effect": found.design_effect or 0.0,
    }


def host_row(n_hosts: int, n_sets: int, world: World, truth: float, n_resamples: int) -> Row:
    """Count, over test sets of several hosts, which intervals hold what is true of all hosts."""
    host_E = np.repeat(np.arange(n_hosts), _PER_HOST)

    def one(number: int) -> dict[str, float]:
        rng = np.random.default_rng([SEED, 2, n_hosts, number])
        confusions_EMKK = world.episodes(rng, host_E.size, host_E=host_E)
        config = BootstrapConfig(seed=number, n_resamples=n_resamples)
        classes_K = supported_classes(confusions_EMKK.sum(axis=(0, 1)))
        contrast = Contrast(weights_M=(1.0,), classes_K=classes_K)
        across = interval_across_hosts(confusions_EMKK, contrast, host_E, config)
        own = macro_f1_interval(confusions_EMKK[:, 0], config=config, size=_size(host_E.size))
        return {
            "hosts and episodes": _holds((across.low, across.high), truth),
            "episodes alone": _holds((own.low, own.high), truth),
        }

    return _means(n_hosts, (one(number) for number in range(n_sets)))


def pair_row(n_episodes: int, n_sets: int, gain: float, n_resamples: int) -> Row:
    """Count how often two models are told apart; they are equal where ``gain`` is 0."""

    def one(number: int) -> dict[str, float]:
        rng = np.random.default_rng([SEED, 3, n_episodes, number])
        confusions_EMKK = _EPISODES.episodes(rng, n_episodes, gains=(gain, 0.0))
        config = BootstrapConfig(seed=number, n_resamples=n_resamples)
        classes_K = supported_classes(confusions_EMKK[:, 0].sum(axis=0))
        found = contrast_interval(
            confusions_EMKK,
            Contrast(weights_M=(1.0, -1.0), classes_K=classes_K),
            resample(confusions_EMKK, config),
            config=config,
            size=_size(n_episodes),
        )
        p = paired_permutation_p(confusions_EMKK[:, :1], confusions_EMKK[:, 1:], config)
        by_p = p is not None and p <= _ALPHA
        by_interval = found.low is not None and not _holds((found.low, found.high), 0.0)
        return {"interval": by_interval, "p": by_p, "both": by_p and by_interval}

    return _means(n_episodes, (one(number) for number in range(n_sets)))


def seed_row(n_seeds: int, n_sets: int, truth: float, n_resamples: int) -> Row:
    """Count, over test sets and trainings, which intervals hold the mean over all trainings."""

    def one(number: int) -> dict[str, float]:
        rng = np.random.default_rng([SEED, 4, n_seeds, number])
        confusions_ESKK = _SEEDS.trainings(rng, _TEST_SET, n_seeds)
        config = BootstrapConfig(seed=number, n_resamples=n_resamples)
        found = seeds_interval([confusions_ESKK], config=config, size=_size(_TEST_SET))
        alone = macro_f1_interval(confusions_ESKK[:, 0], config=config, size=_size(_TEST_SET))
        value_S = macro_f1_stack(
            confusions_ESKK.sum(axis=0), supported_classes(confusions_ESKK[:, 0].sum(axis=0))
        )
        return {
            "episodes and seeds": _holds((found.low, found.high), truth),
            "episodes, one seed": _holds((alone.low, alone.high), truth),
            "width": (found.high or 0.0) - (found.low or 0.0),
            "sd of seeds": float(value_S.std(ddof=1)),
        }

    return _means(n_seeds, (one(number) for number in range(n_sets)))


def simulate(scale: Scale, say: Callable[[str], None]) -> Iterator[str]:
    """Yield one table after the other, in Markdown."""
    b = scale.n_resamples
    truth = _EPISODES.macro_f1(np.random.default_rng([SEED, 0]), scale.truth_episodes)
    of_hosts = _HOSTS.macro_f1(
        np.random.default_rng([SEED, 0]), scale.truth_episodes, per_host=_PER_HOST
    )
    say(f"truth {truth:.4f}, with hosts {of_hosts:.4f}, of {scale.truth_episodes:,} episodes")
    yield _table("episodes", [episode_row(n, s, truth, b) for n, s in scale.sets.items()])
    for title, world, value in (
        ("hosts that differ", _HOSTS, of_hosts),
        ("equal hosts", _EPISODES, truth),
    ):
        rows = [host_row(n, s, world, value, b) for n, s in scale.host_sets.items()]
        yield _table(title, rows)
    of_trainings = _SEEDS.macro_f1_of_trainings(
        np.random.default_rng([SEED, 0]), scale.truth_episodes
    )
    rows = [seed_row(n, s, of_trainings, b) for n, s in scale.seed_sets.items()]
    yield _table(f"seeds, {_TEST_SET} episodes", rows)
    for title, gain in (("equal models", 0.0), ("models that differ", 0.5)):
        yield _table(title, [pair_row(n, s, gain, b) for n, s in scale.pair_sets.items()])


def _table(title: str, rows: list[Row]) -> str:
    names = list(rows[0].shares)
    head = [title, "sets", *names]
    lines = [head, ["---"] * len(head)]
    for row in rows:
        cells = [f"{row.shares[name]:.3f}" for name in names]
        lines.append([str(row.n), f"{row.n_sets:,}", *cells])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


@click.command()
@click.option("--quick", is_flag=True, help="Few sets: shows that it runs, not what is true.")
@click.option(
    "--markdown",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="Where the tables go too.",
)
def main(markdown: Path | None, *, quick: bool) -> None:
    """Count how often the intervals hold the truth."""
    started = time.process_time()
    tables: list[str] = []
    for table in simulate(QUICK if quick else FULL, lambda line: click.echo(line, err=True)):
        tables.append(table)
        click.echo(f"{table}\n")
        if markdown is not None:
            markdown.write_text("\n\n".join(tables) + "\n", "utf-8")
    click.echo(f"{time.process_time() - started:.0f} s of processor time", err=True)


if __name__ == "__main__":
    main()
