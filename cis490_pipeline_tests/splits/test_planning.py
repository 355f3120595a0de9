import math
import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cis490_pipeline.errors import ConfigurationError
from cis490_pipeline.splits.config import SplitConfig
from cis490_pipeline.splits.leakage import find_leaks
from cis490_pipeline.splits.plan import EpisodeFacts, SplitPlan
from cis490_pipeline.splits.planning import is_id_val, plan_split
from cis490_pipeline.splits.recipes import HostLists
from cis490_pipeline_tests.splits.strategies import (
    HOSTS,
    clean_facts,
    episode,
    facts,
    planned,
    refused,
    store,
)

LISTS = [HostLists(name="bc", train=("lab-b",), test=("lab-c",))]
KEYS = ("host=lab-a", "host=lab-b", "sample", "time", "time=30", "hosts:bc", "deploy")
CONFIGS = (SplitConfig(), SplitConfig(statuses=("accepted",)), SplitConfig(id_val_share=0.5))


def roles(plan: SplitPlan) -> dict[str, str]:
    return {
        e.episode_id: role
        for role, members in (("train", plan.train), ("id_val", plan.id_val), ("test", plan.test))
        for e in members
    }


@given(facts(), st.sampled_from(KEYS), st.sampled_from(CONFIGS))
@settings(max_examples=300, deadline=None)
def test_plan_is_disjoint_sorted_and_takes_only_what_may_take_part(episodes, key, config):
    plan = plan_split(key, episodes, config, LISTS)
    if not isinstance(plan, SplitPlan):
        assert plan.reason
        assert plan.suggestion
        return
    assert find_leaks(plan.train, plan.id_val, plan.test) == ()
    for role in (plan.train, plan.id_val, plan.test):
        assert list(role) == sorted(role, key=lambda e: e.episode_id)
        assert all(e.n_windows > 0 and e.status in config.statuses for e in role)
        assert set(role) <= set(episodes)
    assert plan.train
    assert plan.id_val
    assert any(not e.is_control for e in plan.train)
    assert bool(plan.test) == (key != "deploy")


@given(facts(), st.sampled_from(KEYS), st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_plan_ignores_the_order_of_its_input(episodes, key, rng: random.Random):
    shuffled = list(episodes)
    rng.shuffle(shuffled)
    assert plan_split(key, shuffled, None, LISTS) == plan_split(key, episodes, None, LISTS)


@given(clean_facts(), st.data(), st.sampled_from(("host=lab-a", "deploy", "hosts:bc")))
@settings(max_examples=200, deadline=None)
def test_new_episode_never_moves_an_old_one(episodes, data, key):
    # Both stores hold this, so that neither is refused.
    floor = store(30, HOSTS)
    old = [e for e in episodes if data.draw(st.booleans())]
    before = roles(planned(plan_split(key, floor + old, None, LISTS)))
    after = roles(planned(plan_split(key, floor + episodes, None, LISTS)))
    known = {e.episode_id for e in floor + old}
    assert before == {one: role for one, role in after.items() if one in known}


def test_new_episode_of_a_known_sample_moves_nobody_under_sample():
    before = roles(planned(plan_split("sample", store(60))))
    after = roles(planned(plan_split("sample", store(90))))
    assert before.items() <= after.items()
    assert len(after) > len(before)


def test_host_recipe_tests_the_whole_host_and_nothing_else():
    episodes = store(40, HOSTS)
    plan = planned(plan_split("host=lab-b", episodes))
    assert {e.episode_id for e in plan.test} == {
        e.episode_id for e in episodes if e.host_id == "lab-b"
    }
    assert len(plan.train) + len(plan.id_val) == 80
    assert "unseen host lab-b" in plan.claim
    assert "lab-a, lab-c" in plan.claim


def test_id_val_is_about_its_share_of_every_group():
    plan = planned(plan_split("deploy", store(3000)))
    groups = Counter((e.host_id, e.profile) for e in (*plan.train, *plan.id_val))
    held = Counter((e.host_id, e.profile) for e in plan.id_val)
    assert len(groups) == 6
    for group, n in groups.items():
        assert abs(held[group] / n - 0.2) < 0.06


def test_larger_id_val_share_keeps_those_of_a_smaller_one():
    one, other = (
        {i for i in range(500) if is_id_val(str(i), SplitConfig(id_val_share=share))}
        for share in (0.2, 0.5)
    )
    assert one < other
    assert 200 < len(other) < 300


def test_another_salt_is_another_id_val():
    one = {e.episode_id for e in store(200) if is_id_val(e.episode_id, SplitConfig())}
    other = {e.episode_id for e in store(200) if is_id_val(e.episode_id, SplitConfig(salt="x"))}
    assert one != other


def test_id_val_lots_are_pinned_for_ever():
    # Every model of every store would be stale if these moved.
    held = [i for i in range(40) if is_id_val(f"{i:026d}", SplitConfig())]
    assert held == [20, 21, 28, 31, 36, 37]


def test_deploy_has_no_test_set_and_says_whose_claim_to_quote():
    plan = planned(plan_split("deploy", store(30, ("lab-a",))))
    assert plan.test == ()
    assert "leave-one-host-out" in plan.claim
    assert plan.untested_profiles == ("benign", "io-walk", "scan-and-dial")


def test_named_hosts_leave_other_hosts_out():
    plan = planned(plan_split("hosts:bc", store(40, HOSTS), None, LISTS))
    assert {e.host_id for e in (*plan.train, *plan.id_val)} == {"lab-b"}
    assert {e.host_id for e in plan.test} == {"lab-c"}


def test_undeclared_list_is_a_configuration_error():
    with pytest.raises(ConfigurationError, match="bc"):
        plan_split("hosts:nope", store(), None, LISTS)


def test_samples_are_never_on_both_sides_and_controls_are_on_both():
    plan = planned(plan_split("sample", store(60)))
    learn = (*plan.train, *plan.id_val)
    malicious = [{e.sample_name for e in side if not e.is_control} for side in (learn, plan.test)]
    assert malicious[0]
    assert malicious[1]
    assert not malicious[0] & malicious[1]
    assert any(e.is_control for e in learn)
    assert any(e.is_control for e in plan.test)
    assert "not cross-device" in plan.claim


@given(facts(), st.sampled_from(CONFIGS))
@settings(max_examples=200, deadline=None)
def test_sample_shared_by_two_profiles_is_on_one_side(episodes, config):
    plan = plan_split("sample", episodes, config)
    if isinstance(plan, SplitPlan):
        learn = {e.sample_name for e in (*plan.train, *plan.id_val) if not e.is_control}
        assert not learn & {e.sample_name for e in plan.test if not e.is_control}
        assert "" not in learn


def test_profile_with_one_sample_trains_and_is_listed():
    lone = [episode(9000 + i, profile="mem-hoard", sample_name="only") for i in range(20)]
    plan = planned(plan_split("sample", store(60) + lone))
    assert plan.untested_profiles == ("mem-hoard",)
    assert any("fewer than two samples" in w and "mem-hoard" in w for w in plan.warnings)


def test_malicious_episode_without_a_sample_name_takes_no_part_in_sample():
    unnamed = [episode(9000 + i, sample_name="") for i in range(3)]
    plan = planned(plan_split("sample", store(60) + unnamed))
    assert not {e.episode_id for e in unnamed} & roles(plan).keys()
    assert any("3 malicious episodes without a sample name" in w for w in plan.warnings)


def test_sample_kind_makes_a_control_of_any_profile():
    assert episode(1, profile="kiosk", sample_kind="control").is_control
    assert episode(1, profile="benign").is_control
    assert not episode(1, profile="kiosk", sample_kind="emulated").is_control


def test_later_episodes_test():
    plan = planned(plan_split("time", store(50)))
    latest = max(e.received_at_s for e in (*plan.train, *plan.id_val))
    assert latest < min(e.received_at_s for e in plan.test)
    assert len(plan.test) == 30
    assert "same hosts (lab-a, lab-b): not cross-device" in plan.claim


def test_percentage_in_the_key_moves_the_cut():
    assert len(planned(plan_split("time=40", store(50))).test) == 60


@given(facts(), st.sampled_from(("time", "time=10", "time=90")))
@settings(max_examples=200, deadline=None)
def test_equal_times_never_straddle_the_cut(episodes, key):
    plan = plan_split(key, episodes)
    if isinstance(plan, SplitPlan):
        learn = {e.received_at_s for e in (*plan.train, *plan.id_val)}
        test = {e.received_at_s for e in plan.test}
        assert all(time is not None and math.isfinite(time) for time in learn | test)
        assert max(learn) < min(test)


def test_episodes_without_a_time_are_left_out_of_time_and_counted():
    undated = [episode(9000 + i, received_at_s=None) for i in range(4)]
    plan = planned(plan_split("time", store(50) + undated))
    assert any("4 episodes without a time" in w for w in plan.warnings)
    assert len(roles(plan)) == 100


def test_host_that_only_occurs_after_the_cut_is_named():
    late = [episode(9000 + i, host_id="lab-z", received_at_s=1e6) for i in range(5)]
    plan = planned(plan_split("time", store(50) + late))
    assert any("lab-z" in w for w in plan.warnings)


def test_status_filter_counts_what_it_leaves_out():
    degraded = [episode(9000 + i, status="degraded") for i in range(6)]
    both = planned(plan_split("host=lab-b", store() + degraded))
    only = planned(
        plan_split("host=lab-b", store() + degraded, SplitConfig(statuses=("accepted",)))
    )
    assert len(roles(both)) - len(roles(only)) == 6
    assert any("6 degraded episodes" in w for w in only.warnings)


def test_episode_without_windows_is_left_out_and_counted():
    plan = planned(plan_split("host=lab-b", [*store(), episode(9000, n_windows=0)]))
    assert f"{9000:026d}" not in roles(plan)
    assert any("1 episode without a window" in w for w in plan.warnings)


def test_copy_of_a_tarball_stays_under_its_first_id_alone():
    original = store()[5]
    copy = episode(900_000, host_id="lab-b", sha256=original.sha256)
    plan = planned(plan_split("host=lab-b", [copy, *store()]))
    assert original.episode_id in roles(plan)
    assert copy.episode_id not in roles(plan)
    assert any("1 episode whose tarball" in w and copy.episode_id in w for w in plan.warnings)


def test_copy_on_a_host_outside_the_lists_changes_nothing():
    episodes = store(40, HOSTS)
    twin = next(e for e in episodes if e.host_id == "lab-b")
    outsider = episode(0, host_id="lab-x", sha256=twin.sha256, episode_id="0" * 25 + "-")
    before = roles(planned(plan_split("hosts:bc", episodes, None, LISTS)))
    assert roles(planned(plan_split("hosts:bc", [outsider, *episodes], None, LISTS))) == before


def test_profiles_are_reported_as_untested_or_unseen():
    extra = [episode(9000 + i, profile="only-a", host_id="lab-a") for i in range(30)]
    extra += [episode(9100 + i, profile="only-b", host_id="lab-b") for i in range(30)]
    plan = planned(plan_split("host=lab-b", store() + extra))
    assert plan.untested_profiles == ("only-a",)
    assert plan.unseen_profiles == ("only-b",)


def test_profile_without_id_val_is_warned_of():
    never = next(i for i in range(9000, 9999) if not is_id_val(f"{i:026d}", SplitConfig()))
    plan = planned(plan_split("host=lab-b", [*store(), episode(never, profile="rare")]))
    assert any("without an id_val episode" in w and "rare" in w for w in plan.warnings)


@pytest.mark.parametrize(
    ("key", "episodes", "reason", "suggestion"),
    [
        ("host=lab-a", store(40, ("lab-a",)), "only host lab-a", "`sample` or `time`"),
        ("host=lab-z", store(), "no usable episode of host lab-z", "lab-a, lab-b"),
        ("host=lab-z", [], "no usable episode of host lab-z", "none"),
        ("hosts:bc", store(), "no usable episode of host lab-c", "lab-b"),
        ("deploy", [], "no episode trains", "ship"),
        ("sample", [], "two sample names", "second sample"),
        ("time", [], "two different times", "sample"),
        ("deploy", [e for e in store() if e.is_control], "malicious", "malicious"),
        (
            "deploy",
            [e for e in store() if not is_id_val(e.episode_id, SplitConfig())],
            "id_val",
            "ship more",
        ),
        (
            "deploy",
            [e for e in store() if is_id_val(e.episode_id, SplitConfig())],
            "no episode trains",
            "ship",
        ),
        ("deploy", [*store(), store()[3]], "listed twice", "ingest again"),
    ],
)
def test_unsound_split_is_refused_with_what_to_do(
    key: str, episodes: list[EpisodeFacts], reason: str, suggestion: str
):
    refusal = refused(plan_split(key, episodes, None, LISTS))
    assert refusal.split == key
    assert reason in refusal.reason
    assert suggestion in refusal.suggestion


def test_store_of_one_time_cannot_be_cut():
    refusal = refused(plan_split("time", [episode(i, received_at_s=7.0) for i in range(50)]))
    assert "two different times" in refusal.reason


@pytest.mark.parametrize(
    "changes",
    [
        {"id_val_share": 0.0},
        {"id_val_share": 1.0},
        {"time_train_share": math.nan},
        {"sample_test_share": -0.1},
        {"statuses": ()},
        {"statuses": ("accepted", "rejected")},
        {"salt": ""},
        {"salt": "x" * 65},
    ],
)
def test_configuration_that_cannot_work_is_refused(changes):
    with pytest.raises(ConfigurationError):
        SplitConfig(**changes)


def test_hostile_sample_name_does_not_end_a_plan():
    odd = [episode(9000 + i, sample_name=("\ud800", "a,b\0/../")[i % 2]) for i in range(40)]
    assert planned(plan_split("sample", store(60) + odd)).test
