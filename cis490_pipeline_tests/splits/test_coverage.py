from dataclasses import replace

from hypothesis import given, settings

from cis490_pipeline.splits.coverage import coverage_table, soundness, training_problems
from cis490_pipeline.splits.plan import SplitPlan
from cis490_pipeline.splits.planning import plan_split
from cis490_pipeline_tests.splits.strategies import facts, planned, store

PLAN = planned(plan_split("host=lab-b", store()))


def reasons(plan: SplitPlan) -> str:
    return "; ".join(problem.reason for problem in soundness(plan).blocking)


def test_healthy_plan_has_nothing_to_block():
    assert soundness(PLAN).blocking == ()


def test_absent_profile_of_a_host_is_a_row_of_zeros():
    test = tuple(e for e in PLAN.test if e.profile != "io-walk")
    rows = {(r.host_id, r.profile): r for r in coverage_table(replace(PLAN, test=test))}
    gap = rows["lab-b", "io-walk"]
    assert (gap.train, gap.id_val, gap.test) == (0, 0, 0)
    assert len(rows) == 6


@given(facts())
@settings(max_examples=100, deadline=None)
def test_table_counts_every_episode_once(episodes):
    plan = plan_split("host=lab-a", episodes)
    if isinstance(plan, SplitPlan):
        rows = coverage_table(plan)
        assert sum(row.train for row in rows) == len(plan.train)
        assert sum(row.id_val for row in rows) == len(plan.id_val)
        assert sum(row.test for row in rows) == len(plan.test)


def test_missing_id_val_blocks():
    assert "id_val" in reasons(replace(PLAN, id_val=()))


def test_missing_test_blocks_where_the_recipe_needs_one():
    assert "no episode tests" in reasons(replace(PLAN, test=()))
    assert reasons(planned(plan_split("deploy", store()))) == ""


def test_missing_train_blocks():
    assert reasons(replace(PLAN, train=())) == "no episode trains"


def test_absent_class_of_training_episodes_blocks():
    controls = tuple(e for e in PLAN.train if e.is_control)
    malicious = tuple(e for e in PLAN.train if not e.is_control)
    assert "malicious" in reasons(replace(PLAN, train=controls))
    assert reasons(replace(PLAN, train=malicious)) == "no control episode trains"


def test_training_side_is_judged_without_a_test_set():
    assert training_problems(PLAN.train, PLAN.id_val) == ()
    assert [p.reason for p in training_problems((), PLAN.id_val)] == ["no episode trains"]
    assert len(training_problems((), ())) == 2


def test_role_without_controls_is_warned_of():
    test = tuple(e for e in PLAN.test if not e.is_control)
    assert "no control episode in test" in soundness(replace(PLAN, test=test)).warnings


def test_warnings_of_the_plan_include_those_of_its_coverage():
    assert set(soundness(PLAN).warnings) <= set(PLAN.warnings)
