"""Paired differences, the choice on id_val, and the sentence made of them."""

# An interval that is None fails these tests at run time, as it should.
# pyright: reportOperatorIssue=false, reportOptionalOperand=false

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from cis490_pipeline.errors import EvaluationError
from cis490_pipeline.evaluation.comparison import (
    DeclaredFamily,
    Verdict,
    compare,
    comparison_to_json,
)
from cis490_pipeline.evaluation.headline import headline
from cis490_pipeline.evaluation.keys import FamilyRole
from cis490_pipeline.evaluation.pairs import configurations, paired_difference
from cis490_pipeline.evaluation.predictions import predictions_of
from cis490_pipeline.schema.channels import Mode
from cis490_pipeline.schema.tables import PROBABILITY_COLUMNS
from cis490_pipeline_tests.evaluation.made_up import (
    FAST,
    evaluations_of,
    key_of,
    rows,
    scope_of,
    split_table,
)

GBT, CNN, LOGISTIC = key_of("gbt"), key_of("cnn"), key_of("logistic")
BLEND = key_of("blend")
TIME, MAJORITY = key_of("elapsed_time"), key_of("majority")


def _compare(skills, **scope):
    table = split_table(skills)
    return compare(evaluations_of(table, list(skills), scope=scope_of(**scope)), table, config=FAST)


WIN = {GBT: (0.8, 0.7), CNN: (0.6, 0.75), TIME: (0.5, 0.3), MAJORITY: (0.0, 0.0)}


@pytest.fixture(scope="module")
def win():
    return _compare(WIN)


def _only(comparison, first, tests):
    return next(one for one in comparison.differences if one.first == first and one.tests is tests)


def test_a_model_minus_itself_is_exactly_zero_with_p_one():
    found = predictions_of(rows(GBT, skill=0.6), key=GBT, role="test")
    (one,) = configurations({GBT: found}).values()
    interval = paired_difference(one, one, FAST)
    assert (interval.point, interval.low, interval.high) == (0.0, 0.0, 0.0)
    table = pa.concat_tables([rows(GBT, skill=0.6), _renamed(rows(GBT, skill=0.6), TIME)])
    comparison = compare(evaluations_of(table, [GBT, TIME]), table, config=FAST)
    assert comparison.differences[0].p == 1.0
    assert comparison.differences[0].verdict is Verdict.UNDECIDED


def _renamed(table, key):
    values = {
        "family": key.family,
        "mode": str(key.mode),
        "bundle": f"{key.label}-{key.seed}",
        "seed": key.seed,
    }
    for name, value in values.items():
        index = table.schema.get_field_index(name)
        column = pa.array([value] * table.num_rows, table.schema.types[index])
        table = table.set_column(index, table.schema.field(name), column)
    return table


def test_difference_equals_that_of_the_points_and_pairing_narrows_it():
    base = rows(GBT, skill=0.6, n_episodes=40)
    truth = base["phase"].to_numpy()
    worse = _renamed(base, TIME)
    # A few windows of a copy are made wrong: the two models share all of their other mistakes.
    spoiled = np.random.default_rng(0).random(truth.size) < 0.05
    for name in PROBABILITY_COLUMNS:
        values = np.where(spoiled, float(name == "p_clean"), worse[name].to_numpy())
        index = worse.schema.get_field_index(name)
        worse = worse.set_column(index, worse.schema.field(name), pa.array(values))
    table = pa.concat_tables([base, worse])
    first, second = evaluations_of(table, [GBT, TIME])
    found = compare([first, second], table, config=FAST).differences[0].difference
    assert found.point == pytest.approx(first.macro_f1.point - second.macro_f1.point)
    unpaired = first.macro_f1.high - first.macro_f1.low
    assert found.high - found.low < 0.5 * unpaired
    assert found.low > 0


def test_everything_is_chosen_on_id_val_and_never_on_test(win):
    # cnn is better on the test set and worse on id_val.
    assert win.best_learned == GBT
    assert win.recommended == GBT
    by_key = {one.key: one for one in win.models}
    assert by_key[CNN].macro_f1.point > by_key[GBT].macro_f1.point
    assert by_key[CNN].id_val_macro_f1 < by_key[GBT].id_val_macro_f1


def test_choice_does_not_change_with_the_test_predictions(win):
    other = _compare({key: (id_val, 0.9 - test) for key, (id_val, test) in WIN.items()})
    assert other.choices == win.choices


def test_declared_families_hold_the_expected_pairs(win):
    pairs = {(one.tests, one.first, one.second) for one in win.differences}
    assert pairs == {
        (DeclaredFamily.AGAINST_TIME, GBT, TIME),
        (DeclaredFamily.AGAINST_TIME, CNN, TIME),
        (DeclaredFamily.AGAINST_TIME, MAJORITY, TIME),
        (DeclaredFamily.AGAINST_SIMPLE, CNN, GBT),
    }


def test_other_simple_models_are_a_family_of_their_own():
    """They would otherwise make the correction of the deep ones, which was declared, stricter."""
    found = _compare({GBT: (0.8, 0.7), LOGISTIC: (0.5, 0.5), CNN: (0.6, 0.5), TIME: (0.2, 0.2)})
    (deep,) = (o for o in found.differences if o.tests is DeclaredFamily.AGAINST_SIMPLE)
    (other,) = (o for o in found.differences if o.tests is DeclaredFamily.AMONG_SIMPLE)
    assert (deep.first, deep.second, deep.p_holm) == (CNN, GBT, deep.p)
    assert (other.first, other.second, other.p_holm) == (LOGISTIC, GBT, other.p)


def test_holm_runs_within_each_family(win):
    against_time = [one for one in win.differences if one.tests is DeclaredFamily.AGAINST_TIME]
    smallest = min(against_time, key=lambda one: one.p)
    assert smallest.p_holm == pytest.approx(min(1.0, 3 * smallest.p))
    alone = _only(win, CNN, DeclaredFamily.AGAINST_SIMPLE)
    assert alone.p_holm == alone.p


def test_deep_model_is_recommended_only_where_it_beats_the_simple_one_on_id_val():
    clear = _compare({GBT: (0.4, 0.6), CNN: (0.9, 0.6), TIME: (0.2, 0.2)})
    assert clear.recommended == CNN
    draw = _compare({GBT: (0.60, 0.2), CNN: (0.63, 0.9), TIME: (0.2, 0.2)})
    scores = {one.key: one.id_val_macro_f1 for one in draw.models}
    assert scores[CNN] > scores[GBT]
    assert draw.best_learned == CNN
    assert draw.recommended == GBT
    assert "not shown to beat" in draw.choices[0].reason


def test_the_declared_deep_model_is_recommended_where_it_is_above_the_simple_one():
    above = _compare({GBT: (0.60, 0.9), BLEND: (0.63, 0.2), TIME: (0.2, 0.2)})
    assert above.recommended == BLEND
    assert above.choices[0].simple == GBT, "the yardstick of the tests stays the simple one"
    below = _compare({GBT: (0.63, 0.2), BLEND: (0.60, 0.9), TIME: (0.2, 0.2)})
    assert below.recommended == GBT


def test_another_deep_model_must_be_shown_to_beat_the_declared_one():
    draw = _compare({GBT: (0.5, 0.2), BLEND: (0.60, 0.2), CNN: (0.63, 0.9), TIME: (0.2, 0.2)})
    assert draw.best_learned == CNN
    assert draw.recommended == BLEND
    assert "the declared deep model wins a draw" in draw.choices[0].reason
    clear = _compare({GBT: (0.3, 0.2), BLEND: (0.4, 0.2), CNN: (0.9, 0.3), TIME: (0.2, 0.2)})
    assert clear.recommended == CNN


def test_the_declared_deep_model_wins_no_draw_against_the_clock():
    found = _compare({GBT: (0.3, 0.9), BLEND: (0.62, 0.9), TIME: (0.60, 0.2)})
    assert found.choices[0].simple == TIME
    assert found.recommended is None


def test_the_best_of_a_search_must_be_shown_better_for_all_that_was_tried():
    skills = {GBT: (0.4, 0.6), CNN: (0.9, 0.6), TIME: (0.2, 0.2)}
    table = split_table(skills)
    evaluations = evaluations_of(table, list(skills))
    few, many = (
        compare(evaluations, table, config=FAST, n_tried={CNN: n_tried, GBT: 1})
        for n_tried in (2, 50)
    )
    assert few.recommended == CNN
    assert "for the best of 2 tried" in few.choices[0].reason
    assert many.recommended == GBT, "a p of 1 in 201 is no surprise among fifty"
    assert "not shown to beat" in many.choices[0].reason
    assert "for the best of 50 tried" in many.choices[0].reason
    assert [one.n_tried for one in many.models] == [50, 1, 1]
    assert many.best_learned == CNN, "its score is shown as it is, and flagged"
    assert many.differences == compare(evaluations, table, config=FAST).differences


def test_a_draw_of_simple_models_goes_to_the_family_of_first_choice():
    draw = _compare({GBT: (0.60, 0.2), LOGISTIC: (0.63, 0.9), TIME: (0.2, 0.2)})
    scores = {one.key: one.id_val_macro_f1 for one in draw.models}
    assert scores[LOGISTIC] > scores[GBT]
    assert draw.best_learned == LOGISTIC
    assert draw.recommended == draw.choices[0].simple == GBT
    assert "first choice wins a draw" in draw.choices[0].reason
    assert "recommended: gbt/realistic" in headline(draw)
    clear = _compare({GBT: (0.4, 0.9), LOGISTIC: (0.9, 0.6), TIME: (0.2, 0.2)})
    assert clear.recommended == clear.choices[0].simple == LOGISTIC


def test_the_family_of_first_choice_wins_no_draw_below_the_clock():
    found = _compare({GBT: (0.50, 0.9), LOGISTIC: (0.60, 0.9), TIME: (0.55, 0.2)})
    scores = {one.key: one.id_val_macro_f1 for one in found.models}
    assert scores[GBT] < scores[TIME] < scores[LOGISTIC]
    assert found.recommended == LOGISTIC


def test_baseline_that_wins_on_id_val_leaves_nothing_to_recommend():
    found = _compare({GBT: (0.3, 0.6), TIME: (0.7, 0.7)})
    assert found.recommended is None
    assert found.best_learned == GBT
    assert found.choices[0].simple == TIME
    assert "no model is recommended" in headline(found)


def test_a_transductive_model_is_shown_and_neither_chosen_nor_tested(win):
    better = {replace(GBT, context="transductive"): (0.99, 0.99)}
    both = {replace(CNN, context="transductive"): (0.99, 0.98), **better}
    found = _compare({**WIN, **both})
    assert found.choices == win.choices
    assert (found.best_learned, found.recommended) == (win.best_learned, win.recommended)
    assert found.differences == win.differences, "Holm's correction counts no other test either"
    scored = {one.key: one.macro_f1.point for one in found.models}
    assert all(scored[key] > scored[GBT] for key in both)
    flag = "cnn/realistic/transductive, gbt/realistic/transductive (transductive: uses all of the"
    assert headline(found).endswith("its first day)")
    assert f"shown, never chosen: {flag}" in headline(found)
    assert "transductive" not in headline(win)


def test_realistic_is_chosen_before_oracle():
    oracle = key_of("gbt", Mode.ORACLE)
    found = _compare({GBT: (0.5, 0.5), oracle: (0.9, 0.9), TIME: (0.2, 0.2)})
    assert found.best_learned == GBT
    assert [one.mode for one in found.choices] == [Mode.REALISTIC, Mode.ORACLE]
    assert found.choices[1].recommended == oracle


def test_configuration_is_judged_by_the_mean_of_its_seeds():
    lucky = {key_of("cnn", seed=0): (0.95, 0.5), key_of("cnn", seed=1): (0.1, 0.5)}
    found = _compare({GBT: (0.7, 0.5), **lucky, TIME: (0.2, 0.2)})
    assert found.best_learned == GBT
    summary = found.seeds[0]
    assert (summary.family, summary.seeds) == ("cnn", (0, 1))
    assert summary.lowest <= summary.macro_f1.point <= summary.highest
    assert summary.macro_f1.method == "bootstrap of episodes and seeds, expanded percentile"


def test_seed_interval_is_wider_than_that_of_one_seed_where_seeds_differ():
    keys = {key_of("cnn", seed=seed): (0.5, skill) for seed, skill in enumerate((0.3, 0.6, 0.9))}
    found = _compare({**keys, TIME: (0.2, 0.2)})
    both = found.seeds[0].macro_f1
    one = found.models[1].macro_f1
    assert both.high - both.low > 2 * (one.high - one.low)


def test_models_scored_on_different_episodes_are_refused():
    table = pa.concat_tables([rows(GBT, skill=0.6), rows(TIME, skill=0.3, n_episodes=23)])
    with pytest.raises(EvaluationError, match=r"cannot be paired.*24.*23|23.*24"):
        compare(evaluations_of(table, [GBT, TIME]), table, config=FAST)


def test_models_scored_on_different_windows_are_refused():
    short = rows(TIME, skill=0.3).filter(pc.field("window") != 3)
    table = pa.concat_tables([rows(GBT, skill=0.6), short])
    with pytest.raises(
        EvaluationError, match=r"elapsed_time and gbt.*other windows or other labels"
    ):
        compare(evaluations_of(table, [GBT, TIME]), table, config=FAST)


def test_a_model_twice_another_split_or_nothing_is_refused():
    table = split_table({GBT: (0.6, 0.6)})
    (one,) = evaluations_of(table, [GBT])
    (elsewhere,) = evaluations_of(table, [GBT], scope=scope_of(split="sample"))
    for wrong in ([], [one, one], [one, elsewhere]):
        with pytest.raises(EvaluationError, match="cannot be compared"):
            compare(wrong, table, config=FAST)


def test_rows_of_an_older_bundle_are_left_out():
    table = split_table(WIN)
    index = table.schema.get_field_index("bundle")
    old = table.set_column(index, "bundle", pa.array(["old"] * table.num_rows))
    both = pa.concat_tables([old.cast(table.schema), table])
    keys = list(WIN)
    assert compare(evaluations_of(table, keys), both, config=FAST) == _compare(WIN)


def test_json_has_no_nan_and_is_the_same_for_any_order(win):
    table = split_table(WIN)
    turned = compare(evaluations_of(table, list(WIN)[::-1]), table, config=FAST)
    assert comparison_to_json(turned) == comparison_to_json(win)
    assert b"NaN" not in comparison_to_json(win)


def test_headline_of_a_win_states_conditions_first_and_every_number(win):
    text = headline(win)
    gbt = next(one for one in win.models if one.key == GBT).macro_f1
    gap = _only(win, GBT, DeclaredFamily.AGAINST_TIME).difference
    assert text.startswith(
        "trained on lab-a, tested on lab-b: conditional on one host; 4 of 5 profiles; "
        "scan-and-dial untested; best learned model chosen on id_val: gbt/realistic macro F1 "
        f"{gbt.point:.2f} [{gbt.low:.2f}, {gbt.high:.2f}], elapsed_time "
    )
    assert text.endswith(f"difference {gap.point:+.2f} [{gap.low:+.2f}, {gap.high:+.2f}]")
    assert "no model beats" not in text


def test_headline_of_a_loss_says_so_plainly():
    found = _compare({GBT: (0.6, 0.3), CNN: (0.5, 0.2), TIME: (0.2, 0.8)})
    text = headline(found)
    assert "no model beats elapsed_time" in text
    assert _only(found, GBT, DeclaredFamily.AGAINST_TIME).verdict is Verdict.WORSE


def test_headline_names_every_configuration_that_the_clock_beats():
    found = _compare({GBT: (0.7, 0.9), CNN: (0.6, 0.1), LOGISTIC: (0.5, 0.52), TIME: (0.2, 0.52)})
    text = headline(found)
    assert "; worse than elapsed_time: cnn/realistic; " in text
    assert "; not shown to beat elapsed_time: logistic/realistic" in text
    assert "no model beats" not in text


def test_headline_of_a_large_zoo_counts_and_names_the_worst_alone(win):
    own = _only(win, CNN, DeclaredFamily.AGAINST_TIME)
    lost = [
        replace(
            own,
            first=replace(key_of(family), context=f"context-{place}"),
            difference=replace(own.difference, point=-0.01 * place),
            verdict=Verdict.WORSE,
        )
        for family in ("cnn", "gru", "bert")
        for place in range(20)
    ]
    few = headline(replace(win, differences=(*win.differences, *lost[:3])))
    text = headline(replace(win, differences=(*win.differences, *lost)))
    assert len(text) < len(few) + 30, "a line, whatever the size of the zoo"
    n_learned = 60 + sum(
        one.tests is DeclaredFamily.AGAINST_TIME and one.first.role is not FamilyRole.BASELINE
        for one in win.differences
    )
    assert (
        f"; worse than elapsed_time: 60 of {n_learned} learned models, the lowest "
        "bert/realistic/context-19, cnn/realistic/context-19"
    ) in text


def test_headline_of_a_tie_says_so_plainly():
    found = _compare({GBT: (0.6, 0.5), TIME: (0.2, 0.5)})
    assert _only(found, GBT, DeclaredFamily.AGAINST_TIME).verdict is Verdict.UNDECIDED
    assert "no model beats elapsed_time" in headline(found)


def test_headline_where_only_another_model_wins():
    found = _compare({GBT: (0.7, 0.3), CNN: (0.5, 0.9), TIME: (0.2, 0.31)})
    text = headline(found)
    assert "; not shown to beat elapsed_time: gbt/realistic" in text
    assert "no model beats" not in text


def test_headline_without_the_time_baseline_says_that_nothing_is_shown():
    text = headline(_compare({GBT: (0.6, 0.6)}))
    assert "no elapsed_time baseline was scored" in text


def test_headline_without_id_val_chooses_nothing():
    table = rows(GBT, skill=0.6)
    found = compare(evaluations_of(table, [GBT]), table, config=FAST)
    assert found.best_learned is None
    assert "none is chosen" in headline(found)


def test_headline_on_the_same_hosts_does_not_claim_another_device():
    text = headline(_compare(WIN, train_hosts=("lab-a", "lab-b"), test_hosts=("lab-a", "lab-b")))
    assert "same hosts, not cross-device, conditional on 2 hosts" in text


def test_an_interval_above_zero_is_no_verdict_where_the_corrected_p_is_large():
    """Four episodes: each permutation p is at least 1/8, whatever the percentile interval says."""
    table = pa.concat_tables(
        [rows(key, skill=skill, n_episodes=4) for key, skill in ((GBT, 1.0), (TIME, 0.0))]
    )
    found = compare(evaluations_of(table, [GBT, TIME]), table, config=FAST)
    gap = found.differences[0]
    assert gap.difference.low > 0
    assert gap.p_holm >= 1 / 8
    assert gap.verdict is Verdict.UNDECIDED
