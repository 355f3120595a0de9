"""Which windows are drawn, how rankings are compared, and when an explanation carries a warning."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from cis490_pipeline.explain.agreement import (
    Agreements,
    RankAgreement,
    Ranked,
    agreement,
    spearman,
)
from cis490_pipeline.explain.columns import by_phase, channels_from, part_shares
from cis490_pipeline.explain.result import TOO_SIMILAR, Completeness
from cis490_pipeline.explain.verdict import warnings_of
from cis490_pipeline.explain.windows import FEWEST, draw_windows
from cis490_pipeline.schema.context import Context, blocks_of

FINE = Completeness(largest=0.0, median=0.0, tolerance=0.05, n_beyond=0, n_windows=9)
NOBODY = Agreements(pairs=(), reason="the split has no test set")


def ranked(name: str, column, n_windows: int = 9) -> Ranked:
    cells = tuple((value,) for value in column)
    return Ranked(name=name, cells=cells, n_windows=(n_windows,))


def pair(*rho: float | None) -> RankAgreement:
    return RankAgreement(first="id_val", second="other", rho=rho, reasons=("",) * len(rho))


def test_as_many_windows_of_each_phase_and_host() -> None:
    y_N = np.repeat([0, 0, 0, 1], 100)
    host_N = np.tile(np.array(["a", "b"]), 200)
    drawn = draw_windows(y_N, host_N, 40, np.random.default_rng(0))
    for phase in (0, 1):
        for host in ("a", "b"):
            assert int(((y_N == phase) & (host_N == host))[drawn].sum()) == 20
    assert drawn.size == 80 == np.unique(drawn).size


def test_a_rare_phase_gives_all_it_has_and_an_absent_one_nothing() -> None:
    y_N = np.array([0] * 50 + [3] * 2)
    drawn = draw_windows(y_N, np.full(52, "a"), 10, np.random.default_rng(0))
    assert np.bincount(y_N[drawn]).tolist() == [10, 0, 0, 2]
    assert draw_windows(y_N[:0], np.empty(0, "U1"), 10, np.random.default_rng(0)).size == 0


def test_many_hosts_give_a_few_windows_each() -> None:
    host_N = np.repeat(np.array([f"h{n}" for n in range(30)]), 20)
    drawn = draw_windows(np.zeros(600, np.int64), host_N, 40, np.random.default_rng(0))
    counts = np.unique(host_N[drawn], return_counts=True)[1]
    assert counts.tolist() == [FEWEST] * 30


def test_the_draw_is_a_matter_of_the_seed() -> None:
    y_N, host_N = np.zeros(500, np.int64), np.full(500, "a")
    draws = [draw_windows(y_N, host_N, 40, np.random.default_rng(s)) for s in (1, 1, 2)]
    np.testing.assert_array_equal(draws[0], draws[1])
    assert (draws[0] != draws[2]).any()


@settings(derandomize=True, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=3, max_size=30))
def test_rank_correlation_is_that_of_scipy(pairs: list[tuple[int, int]]) -> None:
    first, second = (np.array(side, dtype=float) for side in zip(*pairs, strict=True))
    found = spearman(first, second)
    if len(set(first)) == 1 or len(set(second)) == 1:
        assert found is None
    else:
        assert found == pytest.approx(spearmanr(first, second).statistic, abs=1e-9)


def test_a_phase_with_too_few_windows_is_null_with_the_reason() -> None:
    values = [1.0, 2.0, 3.0, 4.0]
    found = agreement(ranked("lab-a", values), ranked("lab-b", values, n_windows=4))
    assert found.rho == (None,)
    assert found.reasons == ("4 windows of lab-b, at least 5 needed",)
    assert found.mean is None
    untested = ranked("lab-b", [None] * 4, n_windows=0)
    assert agreement(ranked("lab-a", values), untested).rho == (None,)


def test_channels_that_neither_side_uses_do_not_agree_for_nothing() -> None:
    first, second = [1.0, 2.0, 3.0, *([0.0] * 20)], [3.0, 2.0, 1.0, *([0.0] * 20)]
    assert agreement(ranked("a", first), ranked("b", second)).rho == (-1.0,)
    few = agreement(ranked("a", [1.0, 2.0, 0.0]), ranked("b", [2.0, 1.0, 0.0]))
    assert few.rho == (None,)
    assert "fewer than 3 channels" in few.reasons[0]


def test_a_model_that_has_learned_nothing_and_looks_the_same_is_a_warning() -> None:
    assert warnings_of(FINE, pair(0.2, None, 0.3), NOBODY) == ()
    (warning,) = warnings_of(FINE, pair(TOO_SIMILAR, None, TOO_SIMILAR), NOBODY)
    assert "has learned nothing" in warning
    assert "0.70" in warning
    (warning,) = warnings_of(FINE, pair(None, None), NOBODY)
    assert "not possible" in warning


def test_other_channels_on_the_test_host_and_sums_that_miss_are_warnings() -> None:
    elsewhere = Agreements(pairs=(pair(0.9), pair(0.1)), reason="")
    (warning,) = warnings_of(FINE, pair(0.1), elsewhere)
    assert "other channels" in warning
    assert "0.10" in warning
    missed = Completeness(largest=2.0, median=0.1, tolerance=0.05, n_beyond=3, n_windows=9)
    (warning,) = warnings_of(missed, pair(0.1), NOBODY)
    assert "3 of 9 windows" in warning


def test_the_columns_of_a_channel_are_summed_with_their_signs() -> None:
    value_NF = np.zeros((1, 2 * 3 * 6))  # two blocks of three channels
    value_NF[0, [6, 7]] = 5.0, -2.0  # channel 1, mean and std of the window itself
    value_NF[0, 18 + 6] = 1.0  # channel 1, mean in the second block
    value_NF[0, 18 + 17] = -4.0  # channel 2, missing share in the second block
    assert channels_from(value_NF, 3).tolist() == [[0.0, 4.0, -4.0]]
    cells = by_phase(channels_from(value_NF, 3), np.array([1]), 2)
    assert cells == ((None, 0.0), (None, 4.0), (None, 4.0))


def test_a_channel_that_a_sequence_has_twice_is_one_channel() -> None:
    """In some contexts a stretch is seen relative to now, and again relative to a level."""
    twice_NF = np.array([[1.0, 2.0, 3.0, -1.0, 0.5, 0.0]])
    assert channels_from(twice_NF, 3).tolist() == [[0.0, 2.5, 3.0]]
    assert channels_from(twice_NF[:, :3], 3).tolist() == [[1.0, 2.0, 3.0]]
    context = Context.COMMISSIONED
    assert part_shares(twice_NF, np.array([0]), 1, n_channels=3, context=context) == ()


def test_shares_of_statistics_and_of_the_past_add_up() -> None:
    value_NF = np.random.default_rng(0).normal(size=(12, blocks_of(Context.RECENT) * 3 * 6))
    y_N = np.repeat([0, 2], 6)
    parts = part_shares(value_NF, y_N, 3, n_channels=3, context=Context.RECENT)
    for kind, n_parts in (("statistic", 6), ("past", blocks_of(Context.RECENT))):
        shares = [part.share for part in parts if part.kind == kind]
        assert len(shares) == n_parts
        for phase in (0, 2):
            assert sum(share[phase] or 0.0 for share in shares) == pytest.approx(1.0)
        assert {share[1] for share in shares} == {None}
    alone = part_shares(value_NF[:, :18], y_N, 3, n_channels=3, context=Context.NONE)
    assert {part.kind for part in alone} == {"statistic"}
    assert part_shares(value_NF[:, :3], y_N, 3, n_channels=3, context=Context.NONE) == ()


def test_every_comparison_with_the_past_has_a_name_of_its_own() -> None:
    for context in (Context.RECENT, Context.COMMISSIONED):
        value_NF = np.ones((6, blocks_of(context) * 2 * 6))
        parts = part_shares(value_NF, np.zeros(6), 1, n_channels=2, context=context)
        names = [part.name for part in parts if part.kind == "past"]
        assert len(set(names)) == blocks_of(context)
