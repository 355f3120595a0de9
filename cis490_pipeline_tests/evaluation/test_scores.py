"""One model's evaluation: equal to scikit-learn, honest about what was not tested."""

# An interval that is None fails these tests at run time, as it should.
# pyright: reportOperatorIssue=false, reportOptionalOperand=false

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import accuracy_score, f1_score

from cis490_pipeline.errors import EvaluationError
from cis490_pipeline.evaluation.scores import (
    EVALUATION_VERSION,
    Coverage,
    evaluation_from_json,
    evaluation_to_json,
    score_model,
)
from cis490_pipeline.schema.phases import PHASES
from cis490_pipeline.schema.tables import PROBABILITY_COLUMNS
from cis490_pipeline_tests.evaluation.made_up import FAST, key_of, rows, scope_of

KEY = key_of("gbt")


def _score(table, **scope):
    return score_model(table, key=KEY, scope=scope_of(**scope), config=FAST)


def _replaced(table, name, values):
    index = table.schema.get_field_index(name)
    return table.set_column(
        index, table.schema.field(name), pa.array(values, table.schema.types[index])
    )


def _without_phase(table, code):
    return table.filter(pa.compute.field("phase") != code)


def test_figures_equal_sklearn_in_any_row_order():
    table = rows(KEY, skill=0.6)
    shuffled = table.take(np.random.default_rng(0).permutation(table.num_rows))
    found = _score(table)
    assert _score(shuffled) == found
    truth = table["phase"].to_numpy()
    proba = np.stack([table[name].to_numpy() for name in PROBABILITY_COLUMNS], axis=1)
    predicted = proba.argmax(axis=1)
    assert found.macro_f1.point == pytest.approx(f1_score(truth, predicted, average="macro"))
    assert found.accuracy == pytest.approx(accuracy_score(truth, predicted))
    each = f1_score(truth, predicted, average=None)
    assert [one.f1.point for one in found.classes] == pytest.approx(list(each))
    assert sum(map(sum, found.confusion)) == found.n_windows == table.num_rows


def test_ties_go_to_the_lowest_class():
    table = rows(KEY, skill=0.6, n_episodes=2)
    for name in PROBABILITY_COLUMNS:
        table = _replaced(table, name, [0.2] * table.num_rows)
    found = _score(table)
    assert [sum(column) for column in zip(*found.confusion, strict=True)][1:] == [0, 0, 0, 0]


def test_profile_that_was_trained_but_not_tested_is_null_with_a_reason():
    found = _score(rows(KEY, skill=0.6))
    by_name = {one.name: one for one in found.profiles}
    assert by_name["scan-and-dial"].coverage is Coverage.UNTESTED
    assert by_name["scan-and-dial"].macro_f1 is None
    assert by_name["scan-and-dial"].accuracy is None
    assert by_name["scan-and-dial"].reason == "not in the test set"
    raw = msgspec.json.decode(evaluation_to_json(found))
    written = next(one for one in raw["profiles"] if one["name"] == "scan-and-dial")
    assert written["macro_f1"] is None
    assert all(one.macro_f1.point > 0 for one in found.profiles if one.name != "scan-and-dial")


def test_unseen_profile_is_scored_and_marked():
    found = _score(rows(KEY, skill=0.6), unseen_profiles=("io-walk",))
    slice_ = next(one for one in found.profiles if one.name == "io-walk")
    assert slice_.coverage is Coverage.UNSEEN
    assert slice_.macro_f1.point is not None


def test_class_without_support_is_null_and_not_in_the_mean():
    table = _without_phase(rows(KEY, skill=0.6), 1)
    found = _score(table)
    armed = found.classes[1]
    assert armed.phase == "armed"
    assert armed.f1.point is None
    assert armed.recall is None
    assert armed.n_windows == 0
    others = [one.f1.point for one in found.classes if one.f1.point is not None]
    assert len(others) == 4
    assert found.macro_f1.point == pytest.approx(np.mean(others))
    assert len(found.confusion) == len(found.labels) == len(PHASES)


def test_class_that_is_never_predicted_has_no_precision_but_an_f1_of_zero():
    table = rows(KEY, skill=0.6)
    both = table["p_infected_running"].to_numpy() + table["p_dormant"].to_numpy()
    table = _replaced(_replaced(table, "p_dormant", [0.0] * 480), "p_infected_running", both)
    dormant = _score(table).classes[4]
    assert dormant.precision is None
    assert dormant.recall == 0.0
    assert dormant.f1.point == 0.0


def test_one_test_host_makes_every_interval_conditional():
    found = _score(rows(KEY, skill=0.6))
    assert found.macro_f1.condition == "conditional on host lab-b"
    assert found.n_hosts == found.macro_f1.n_hosts == 1
    assert found.macro_f1.n_episodes == 24
    assert found.macro_f1.n_samples == 5
    assert found.macro_f1.n_windows == 480


def test_hosts_are_scored_apart():
    found = _score(
        rows(KEY, skill=0.6, hosts=("lab-b", "lab-c")), test_hosts=("lab-b", "lab-c", "lab-d")
    )
    assert [(one.name, one.n_episodes) for one in found.hosts] == [
        ("lab-b", 12),
        ("lab-c", 12),
        ("lab-d", 0),
    ]
    assert found.hosts[2].coverage is Coverage.UNTESTED
    assert found.macro_f1.condition == "conditional on hosts lab-b, lab-c"


def test_windows_without_a_class_are_counted_and_left_out():
    table = rows(KEY, skill=0.6)
    phases = table["phase"].to_numpy().copy()
    phases[:7] = -1
    found = _score(_replaced(table, "phase", phases))
    assert found.n_unlabelled == 7
    assert found.n_windows == table.num_rows - 7


def test_only_unlabelled_windows_score_nothing():
    table = rows(KEY, skill=0.6, n_episodes=3)
    found = _score(_replaced(table, "phase", [-1] * table.num_rows))
    assert found.reason
    assert found.macro_f1.point is None
    assert found.accuracy is found.brier is found.ece is found.log_loss is None
    assert all(one.f1.point is None for one in found.classes)


def test_json_round_trip_is_exact_and_a_foreign_version_is_refused():
    found = _score(rows(KEY, skill=0.6))
    data = evaluation_to_json(found)
    assert evaluation_from_json(data, where="x.json") == found
    assert b"NaN" not in data
    older = data.replace(b'"version": %d' % EVALUATION_VERSION, b'"version": 1')
    for broken in (older, b"[]", b"\xff", data[:-9]):
        with pytest.raises(EvaluationError, match=r"x\.json"):
            evaluation_from_json(broken, where="x.json")


def _two_bundles(table):
    other = _replaced(table, "bundle", ["other"] * table.num_rows)
    return pa.concat_tables([table, other])


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda table: table.slice(0, 0), "no predictions"),
        (lambda table: pa.concat_tables([table, table]), "predicted twice"),
        (_two_bundles, "another bundle"),
        (lambda table: _replaced(table, "role", ["id_val"] * 480), "another role"),
        (lambda table: _replaced(table, "family", ["cnn"] * 480), "another family"),
        (lambda table: _replaced(table, "p_clean", [float("nan")] * 480), "missing or infinite"),
        (lambda table: _replaced(table, "p_clean", [None] * 480), "missing or infinite"),
        (lambda table: _replaced(table, "p_clean", [1.0] * 480), "do not add up to 1"),
        (lambda table: _replaced(table, "p_clean", [-0.1] * 480), "do not add up to 1"),
    ],
)
def test_unsound_rows_are_refused(damage, words):
    with pytest.raises(EvaluationError, match=words):
        _score(damage(rows(KEY, skill=0.6)))
