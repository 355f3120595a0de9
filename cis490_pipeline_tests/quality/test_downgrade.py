"""A host that begins to fare worse is found; noise, trifles and old habits are not."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from scipy.stats import fisher_exact

from cis490_pipeline.quality.config import QualityConfig
from cis490_pipeline.quality.downgrade import (
    downgrade_alerts,
    fisher_p,
    host_share_changes,
    share_changes,
    share_outcome,
)
from cis490_pipeline.quality.history import Received
from cis490_pipeline_tests.episodes.building import episode_id
from cis490_pipeline_tests.quality.recorded import HOSTS, recorded_warehouse

NOON_S = datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()
DAY_S = 86_400.0


def history(statuses: Sequence[str], *, first_s: float = NOON_S) -> list[Received]:
    return [
        Received(
            episode_id=episode_id(number),
            at_s=first_s + number,
            status=status,
            code_commit=None,
            code_dirty=None,
        )
        for number, status in enumerate(statuses)
    ]


def alarms(statuses: Sequence[str]) -> list[str]:
    return [one.symptom for one in share_changes(history(statuses)) if one.alarming]


@pytest.mark.parametrize(
    "table", [(3, 4, 1, 4), (0, 10, 3, 20), (10, 10, 0, 20), (11, 25, 21, 52), (50, 50, 9, 76_610)]
)
def test_the_p_is_that_of_fishers_exact_test(table: tuple[int, int, int, int]) -> None:
    recent, n_recent, past, n_past = table
    cells = [[recent, n_recent - recent], [past, n_past - past]]
    expected = float(fisher_exact(cells, alternative="greater").pvalue)
    assert fisher_p(*table) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("status", "symptom"),
    [
        ("degraded", "degraded-share"),
        ("rejected", "rejected-share"),
        ("error", "rejected-share"),
        ("missing", "missing-share"),
    ],
)
def test_a_host_of_which_everything_turns_bad_is_found(status: str, symptom: str) -> None:
    assert alarms(["accepted"] * 60) == []
    assert alarms(["accepted"] * 60 + [status] * 12) == [symptom]


def test_the_downgrade_is_told_with_its_numbers_and_what_to_do() -> None:
    outcome = share_outcome(share_changes(history(["accepted"] * 60 + ["degraded"] * 30)))
    (finding,) = outcome.findings
    assert "30 of the newest 30 episodes are degraded (100%)" in finding.detail
    assert "0 of the 60 before were (0%)" in finding.detail
    assert "netflow" in finding.suggested_fix
    assert outcome.rows[0] == ("degraded", "30 of 30", "0 of 60", "1.5e-24")


def test_one_of_three_is_no_alarm() -> None:
    assert alarms(["accepted", "accepted", "degraded"]) == []
    assert share_changes(history(["degraded"] * 3)) == ()


def test_a_large_growth_that_chance_explains_is_no_alarm() -> None:
    statuses = ["accepted"] * 19 + ["degraded"] + ["accepted"] * 7 + ["degraded"] * 3
    change = share_changes(history(statuses))[0]
    assert (change.recent, change.n_recent, change.past, change.n_past) == (3, 10, 1, 20)
    assert change.p > 0.05
    assert not change.alarming


def test_too_short_a_past_says_nothing() -> None:
    config = QualityConfig(min_episodes=40)
    assert share_changes(history(["accepted"] * 30 + ["degraded"] * 15), config) == ()
    assert share_outcome(()).findings == ()
    assert "too few" in share_outcome(()).looked_at


def test_an_old_habit_and_an_improvement_are_no_alarm() -> None:
    rng = random.Random(0)
    habit = ["degraded" if rng.random() < 0.42 else "accepted" for _ in range(600)]
    assert alarms(habit) == []
    assert alarms(["degraded"] * 100 + ["accepted"] * 50) == []


def test_a_significant_trifle_among_very_many_is_no_alarm() -> None:
    statuses = ["accepted"] * 30_000 + ["degraded"] * 6 + ["accepted"] * 44
    change = share_changes(history(statuses))[0]
    assert (change.recent, change.n_recent) == (6, 50)
    assert change.p < QualityConfig().downgrade_p
    assert not change.alarming


def test_the_same_episodes_give_the_same_key_and_another_day_another() -> None:
    statuses = ["accepted"] * 60 + ["degraded"] * 30
    now = datetime(2026, 11, 22, 13, tzinfo=UTC)
    changes = share_changes(history(statuses))
    (first,) = downgrade_alerts("lab-b", changes, now)
    (again,) = downgrade_alerts("lab-b", changes, datetime(2026, 11, 25, tzinfo=UTC))
    assert first.dedup_key == again.dedup_key == "quality/degraded-share/lab-b/2026-11-22"
    assert first.detected_at_wall == "2026-11-22T13:00:00+00:00"
    (more,) = downgrade_alerts("lab-b", share_changes(history([*statuses, "degraded"])), now)
    assert more.dedup_key == first.dedup_key, "the same day"
    later = share_changes(history(statuses, first_s=NOON_S + DAY_S))
    keys = {
        first.dedup_key,
        downgrade_alerts("lab-b", later, now)[0].dedup_key,
        downgrade_alerts("lab-a", changes, now)[0].dedup_key,
        downgrade_alerts(
            "lab-b", share_changes(history(["accepted"] * 60 + ["rejected"] * 30)), now
        )[0].dedup_key,
    }
    assert len(keys) == 4


def test_healthy_data_gives_no_alert() -> None:
    changes = share_changes(history(["accepted"] * 90))
    assert len(changes) == 3
    assert downgrade_alerts("lab-a", changes, datetime.now(UTC)) == ()


@pytest.mark.parametrize("host", HOSTS)
def test_the_recorded_corpus_is_silent(tmp_path_factory: pytest.TempPathFactory, host: str) -> None:
    """42 % of lab-b are degraded, from its first episode on."""
    changes = host_share_changes(recorded_warehouse(tmp_path_factory), host, QualityConfig())
    assert len(changes) == 3
    assert [one for one in changes if one.alarming] == []
