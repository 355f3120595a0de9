"""Abstaining: figures equal to slow ones, intervals over episodes, null with a reason."""

# An interval that is None fails these tests at run time, as it should.
# pyright: reportOperatorIssue=false, reportOptionalOperand=false, reportOptionalMemberAccess=false

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from sklearn.metrics import f1_score

from cis490_pipeline.evaluation.predictions import ID_VAL, TEST, predictions_of
from cis490_pipeline.evaluation.rejection import ALPHAS, NO_ID_VAL, SAME_HOSTS, UNSEEN_HOST
from cis490_pipeline.evaluation.scores import (
    evaluation_from_json,
    evaluation_to_json,
    score_model,
)
from cis490_pipeline.evaluation.selective import selective_of
from cis490_pipeline.schema.phases import N_PHASES
from cis490_pipeline.schema.tables import PROBABILITY_COLUMNS
from cis490_pipeline_tests.evaluation.made_up import FAST, key_of, rows, scope_of

KEY = key_of("gbt")


def _read(role, *, only=None, **options):
    table = rows(KEY, role=role, **{"skill": 0.9, **options})
    if only is not None:
        table = table.filter(only)
    return predictions_of(table, key=KEY, role=role)


def _selective(test, id_val, train_hosts=("lab-a",)):
    return selective_of(test, id_val, train_hosts=train_hosts, config=FAST)


def _level(found, alpha):
    return next(one for one in found.rejection.levels if one.alpha == alpha)


def _per_episode(found, value, kept=None):
    """The mean over episodes of means over windows, the slow way."""
    kept = np.ones(value.size, dtype=bool) if kept is None else kept
    episodes = [
        value[(found.cluster_N == episode) & kept] for episode in range(len(found.episodes))
    ]
    return np.mean([one.mean() for one in episodes if one.size])


def _slow_sets(test, id_val, alpha):
    n = len(id_val.episodes)
    score = 1 - id_val.proba_NK[np.arange(id_val.y_true_N.size), id_val.y_true_N]
    by_episode = [score[id_val.cluster_N == episode] for episode in range(n)]
    strange = 1 - test.proba_NK
    p = np.array(
        [
            [(1 + sum((one >= value).mean() for one in by_episode)) / (n + 1) for value in row]
            for row in strange
        ]
    )
    return p > alpha + 1e-12


def test_every_figure_of_a_level_equals_the_slow_one():
    test, id_val = _read(TEST, n_episodes=12), _read(ID_VAL, n_episodes=15, hosts=("lab-a",))
    level = _level(_selective(test, id_val), 0.2)
    sets = _slow_sets(test, id_val, 0.2)
    holds = sets[np.arange(test.y_true_N.size), test.y_true_N]
    size = sets.sum(axis=1)
    assert 0 < (size != 1).mean() < 1
    assert level.coverage.point == pytest.approx(_per_episode(test, holds))
    assert level.set_size.point == pytest.approx(_per_episode(test, size))
    assert level.abstained.point == pytest.approx(_per_episode(test, size != 1))
    assert level.empty.point == pytest.approx(_per_episode(test, size == 0))
    assert level.kept_error.point == pytest.approx(_per_episode(test, ~holds, size == 1))
    more_than_half = [(size != 1)[test.cluster_N == e].mean() > 0.5 for e in range(12)]
    assert level.episodes_abstained.point == pytest.approx(np.mean(more_than_half))
    for code, phase in enumerate(level.phases):
        of_phase = test.y_true_N == code
        assert phase.coverage.point == pytest.approx(_per_episode(test, holds, of_phase))
        assert phase.coverage.n_windows == of_phase.sum()


def test_an_interval_is_the_spread_of_episodes_whatever_the_number_of_windows():
    few = _read(TEST, n_episodes=30, n_windows=20)
    id_val = _read(ID_VAL, n_episodes=20)
    level = _level(_selective(few, id_val), 0.1)
    sets = _slow_sets(few, id_val, 0.1)
    holds = sets[np.arange(few.y_true_N.size), few.y_true_N]
    each = [holds[few.cluster_N == episode].mean() for episode in range(30)]
    expected = np.std(each, ddof=1) / np.sqrt(30)
    assert level.coverage.standard_error == pytest.approx(expected)
    assert level.coverage.low < level.coverage.point < level.coverage.high
    assert level.coverage.n_episodes == 30


def test_a_level_that_id_val_cannot_carry_is_null_with_the_reason():
    found = _selective(_read(TEST), _read(ID_VAL, n_episodes=10))
    assert _level(found, 0.1).coverage.point is not None
    refused = _level(found, 0.05)
    assert refused.reason == "id_val has 10 episodes: alpha 0.05 takes at least 20"
    assert (refused.coverage, refused.abstained, refused.phases) == (None, None, ())


def test_without_id_val_nothing_is_calibrated_and_the_curve_stands():
    found = _selective(_read(TEST), None)
    assert [one.reason for one in found.rejection.levels] == [NO_ID_VAL] * len(ALPHAS)
    assert found.rejection.n_calibration_episodes == 0
    assert found.risk_coverage.aurc.point is not None


def test_unlabelled_windows_of_id_val_do_not_calibrate():
    unlabelled = rows(KEY, role=ID_VAL, skill=0.7)
    place = unlabelled.schema.get_field_index("phase")
    nothing = pa.array([-1] * unlabelled.num_rows, pa.int8())
    id_val = predictions_of(unlabelled.set_column(place, "phase", nothing), key=KEY, role=ID_VAL)
    found = _selective(_read(TEST), id_val)
    assert [one.reason for one in found.rejection.levels] == [NO_ID_VAL] * len(ALPHAS)


def test_coverage_on_an_unseen_host_is_measured_and_not_guaranteed():
    id_val = _read(ID_VAL, hosts=("lab-a",))
    assert _selective(_read(TEST, hosts=("lab-b",)), id_val).rejection.guarantee == UNSEEN_HOST
    both = _read(TEST, hosts=("lab-a", "lab-b"))
    assert _selective(both, id_val).rejection.guarantee == UNSEEN_HOST
    seen = _read(TEST, hosts=("lab-a",))
    assert _selective(seen, id_val).rejection.guarantee == SAME_HOSTS
    hosts = _level(_selective(both, id_val), 0.1).hosts
    assert [one.name for one in hosts] == ["lab-a", "lab-b"]
    assert all(one.coverage.n_episodes == 12 for one in hosts)


def test_a_phase_without_windows_is_untested_and_its_figures_are_null():
    found = _selective(_read(TEST, only=pc.field("phase") != 1), _read(ID_VAL))
    armed = _level(found, 0.1).phases[1]
    assert armed.coverage.point is None
    assert armed.coverage.reason == "no window of armed in the test set"
    assert _level(found, 0.1).phases[0].coverage.point is not None


def test_one_class_alone_is_scored_and_a_set_without_windows_is_null():
    one_class = _selective(_read(TEST, only=pc.field("phase") == 0), _read(ID_VAL))
    assert _level(one_class, 0.1).coverage.point is not None
    assert one_class.risk_coverage.points[-1].macro_risk.point is not None
    table = rows(KEY, role=TEST, skill=0.7)
    place = table.schema.get_field_index("phase")
    nothing = table.set_column(place, "phase", pa.array([-1] * table.num_rows, pa.int8()))
    empty = _selective(predictions_of(nothing, key=KEY, role=TEST), _read(ID_VAL))
    assert empty.risk_coverage.reason == "the test set has no labelled window"
    assert empty.risk_coverage.aurc.point is None
    assert _level(empty, 0.1).reason == "the test set has no labelled window"


def test_points_of_the_curve_equal_sklearn_on_the_answered_windows():
    test = _read(TEST)
    curve = _selective(test, None).risk_coverage
    confidence, predicted = test.proba_NK.max(axis=1), test.proba_NK.argmax(axis=1)
    for point in curve.points:
        kept = confidence >= point.threshold
        assert point.coverage == kept.mean() >= point.asked
        assert point.error.point == pytest.approx((predicted != test.y_true_N)[kept].mean())
        macro = f1_score(
            test.y_true_N[kept], predicted[kept], labels=range(N_PHASES), average="macro"
        )
        assert point.macro_risk.point == pytest.approx(1 - macro)
    assert curve.points[-1].coverage == 1.0


def test_a_point_of_the_curve_counts_what_was_answered():
    """Two sure episodes of ten: a narrow interval over ten would claim what two cannot show."""
    table = rows(KEY, role=TEST, skill=0.7, n_episodes=10, n_windows=10)
    place = np.arange(100) // 10
    proba = np.stack([table[name].to_numpy() for name in PROBABILITY_COLUMNS], axis=1)
    proba = np.where((place < 2)[:, None], proba, 0.5 * proba + 0.1)
    for code, name in enumerate(PROBABILITY_COLUMNS):
        table = table.set_column(table.schema.get_field_index(name), name, pa.array(proba[:, code]))
    curve = _selective(predictions_of(table, key=KEY, role=TEST), None).risk_coverage
    few = next(one for one in curve.points if one.asked == 0.2).error
    assert (few.n_episodes, few.n_windows) == (2, 20)
    assert "fewer than 20 episodes" in few.caution
    assert curve.points[-1].error.n_windows == 100


def test_areas_equal_a_loop_over_resampled_episodes():
    test = _read(TEST, n_episodes=8, n_windows=10)
    curve = _selective(test, None).risk_coverage
    confidence = test.proba_NK.max(axis=1)
    wrong = test.proba_NK.argmax(axis=1) != test.y_true_N

    def slow(picked):
        sure, bad = confidence[picked], wrong[picked]
        area = np.mean([bad[sure >= one].mean() for one in sure])
        bad = np.sort(bad)
        return area, area - np.mean(np.cumsum(bad) / np.arange(1, bad.size + 1))

    everything = slow(np.arange(wrong.size))
    assert (curve.aurc.point, curve.excess.point) == pytest.approx(everything)
    rng = np.random.default_rng(FAST.seed)
    drawn = [
        slow(np.concatenate([np.flatnonzero(test.cluster_N == one) for one in picks]))
        for picks in rng.integers(0, 8, size=(FAST.n_resamples, 8))
    ]
    low, high = np.quantile(np.array(drawn), [0.025, 0.975], axis=0)
    assert curve.aurc.low <= low[0] + 1e-12
    assert curve.aurc.high >= high[0] - 1e-12
    assert curve.aurc.high - curve.aurc.low < 2 * (high[0] - low[0])
    assert curve.excess.low >= 0


def test_sure_and_right_is_worth_more_than_sure_and_wrong():
    table = rows(KEY, role=TEST, skill=0.7)
    proba = np.stack([table[name].to_numpy() for name in PROBABILITY_COLUMNS], axis=1)
    wrong = proba.argmax(axis=1) != table["phase"].to_numpy()

    def excess(honest):
        sharp = np.where((wrong != honest)[:, None], proba**3, np.sqrt(proba))
        sharp /= sharp.sum(axis=1, keepdims=True)
        found = table
        for code, name in enumerate(PROBABILITY_COLUMNS):
            place = table.schema.get_field_index(name)
            found = found.set_column(place, name, pa.array(sharp[:, code]))
        test = predictions_of(found, key=KEY, role=TEST)
        return _selective(test, None).risk_coverage.excess.point

    assert excess(honest=True) < 0.05 < excess(honest=False)


def test_an_answered_set_that_lost_a_phase_has_an_error_and_no_macro_f1():
    table = rows(KEY, role=TEST, skill=0.7)
    proba = np.stack([table[name].to_numpy() for name in PROBABILITY_COLUMNS], axis=1)
    armed = table["phase"].to_numpy() == 1
    proba[armed] = 1 / N_PHASES
    for code, name in enumerate(PROBABILITY_COLUMNS):
        table = table.set_column(table.schema.get_field_index(name), name, pa.array(proba[:, code]))
    curve = _selective(predictions_of(table, key=KEY, role=TEST), None).risk_coverage
    half = next(one for one in curve.points if one.asked == 0.5)
    assert half.error.point is not None
    assert half.macro_risk.point is None
    assert half.macro_risk.reason == "no window of armed is answered"


def test_scoring_calibrates_on_the_rows_of_the_same_bundle_alone():
    test, id_val = rows(KEY, role=TEST, skill=0.7), rows(KEY, role=ID_VAL, skill=0.7)
    place = id_val.schema.get_field_index("bundle")
    other = id_val.set_column(place, "bundle", pa.array(["another"] * id_val.num_rows))

    def scored(table):
        return score_model(test, key=KEY, scope=scope_of(), config=FAST, id_val=table)

    own = scored(pa.concat_tables([other, id_val]))
    assert own.selective.rejection == scored(id_val).selective.rejection
    assert own.selective.rejection.n_calibration_episodes == 24
    assert scored(other).selective.rejection.n_calibration_episodes == 0
    assert evaluation_from_json(evaluation_to_json(own), where="x.json") == own
