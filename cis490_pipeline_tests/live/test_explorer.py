"""The table of episodes: every one is in it, and it is searched, sorted and paged by the server."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cis490_pipeline.live.event_parts import (
    ReceivedEpisode,
)
from cis490_pipeline.live.explorer import Order, Query, Sort, find, listing_of
from cis490_pipeline.live.verdicts import Judged
from cis490_pipeline_tests.datasets.farm import farm, ingest, ship
from cis490_pipeline_tests.episodes.building import add_episode, build_episode, episode_id
from cis490_pipeline_tests.live.hubs import LivingHub, living_hub


def ask(served: LivingHub, **query: object) -> Any:
    return served.get(f"/v1/episodes?{urlencode(query)}")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivingHub]:
    """24 episodes that were judged, one rejected, one that was shipped again since, one new."""
    root = tmp_path_factory.mktemp("explorer")
    store, _ = farm(root)
    bad = build_episode(meta={"schema_version": 2}, host_id="lab-b", episode=episode_id(200))
    add_episode(store, "lab-b", episode_id(200), bad)
    ingest(store, root / "data", "lab-a", "lab-b")
    ship(store, "lab-a", 3, "benign")  # was io-walk
    ship(store, "lab-c", 300, "io-walk")
    plans = ("episodes", "snapshot", "verdicts")
    with living_hub(
        root, plans=lambda watching: [one for one in watching.plans if one.name in plans]
    ) as hub:
        hub.wait(lambda: ask(hub, status="accepted")["total"] >= 23)
        hub.wait(lambda: ask(hub)["everything"] == 26)
        yield hub


def test_every_episode_is_in_it_judged_or_not(served: LivingHub) -> None:
    page = ask(served, limit=200)
    assert (page["total"], page["everything"], len(page["rows"])) == (26, 26, 26)
    assert page["choices"]["hosts"] == {"lab-a": 12, "lab-b": 13, "lab-c": 1}
    assert page["choices"]["statuses"] == {"accepted": 23, "rejected": 1, "unjudged": 2}
    by_id = {row["episode_id"]: row for row in page["rows"]}
    assert by_id[episode_id(300)]["status"] is None
    assert by_id[episode_id(200)]["reasons"] == ["schema-version:2"]
    again = by_id[episode_id(3)]  # its verdict was about other bytes
    assert (again["status"], again["profile"], again["phases"]) == (None, None, [])


def test_filters_and_search_look_at_everything(served: LivingHub) -> None:
    assert ask(served, status="unjudged")["total"] == 2
    assert ask(served, host="lab-b", profile="benign")["total"] == 4
    assert ask(served, phase="dormant")["total"] == 8 + 7 + 1
    found = ask(served, search=" SCHEMA-version:2 ")
    assert [row["episode_id"] for row in found["rows"]] == [episode_id(200)]
    assert ask(served, search="cpu-sat", host="lab-a")["total"] == 4
    assert ask(served, search="<script>")["total"] == 0
    assert ask(served, host="lab")["total"] == 0


def test_pages_together_are_everything_once(served: LivingHub) -> None:
    for sort in Sort:
        for order in Order:
            query = {"sort": sort.value, "order": order.value, "limit": 7}
            rows: list[Any] = []
            for offset in range(0, 28, 7):
                rows += ask(served, offset=offset, **query)["rows"]
            assert len({row["episode_id"] for row in rows}) == len(rows) == 26
            values = [row[sort.value] for row in rows]
            present = [value for value in values if value is not None]
            assert values == present + [None] * (26 - len(present))
            assert present == sorted(present, reverse=order is Order.DESCENDING)
    assert ask(served, offset=100)["rows"] == []


def test_one_episode_has_its_phases_and_the_reasons_of_its_verdict(served: LivingHub) -> None:
    found = served.get(f"/v1/episodes/{episode_id(0)}")
    assert found["row"]["status"] == "accepted"
    assert [one["phase"] for one in found["transitions"]] == [
        "clean",
        "armed",
        "infecting",
        "dormant",
    ]
    assert [one["window"] for one in found["windows"]] == list(range(len(found["windows"])))
    assert found["windows"][0] == {
        "window": 0,
        "t_center_s": 5.0,
        "phase": "clean",
        "label_purity": 1.0,
    }
    assert found["end_s"] == pytest.approx(39.9)
    rejected = served.get(f"/v1/episodes/{episode_id(200)}")
    assert rejected["row"]["reasons"] == ["schema-version:2"]
    assert (rejected["windows"], rejected["transitions"], rejected["end_s"]) == ([], [], None)
    again = served.get(f"/v1/episodes/{episode_id(3)}")  # the tables hold other bytes of that name
    assert (again["row"]["status"], again["windows"]) == (None, [])


@pytest.mark.parametrize("name", [episode_id(999), "x", "..", "%2e%2e", "%00", "a" * 300])
def test_who_was_never_received_is_not_found(served: LivingHub, name: str) -> None:
    status, _, content = served.ask("GET", f"/v1/episodes/{name}")
    assert (status, json.loads(content)["error"]) == (404, "no-episode")


def test_a_name_with_slashes_leads_nowhere(served: LivingHub) -> None:
    status, _, content = served.ask("GET", "/v1/episodes/..%2f..%2fetc%2fpasswd")
    assert (status, json.loads(content)["error"]) == (404, "no-route")


@pytest.mark.parametrize(
    "query",
    ["limit=201", "limit=-1", "limit=x", "offset=1.5", "sort=nosuch", "order=up", "nosuch=1",
     "host=a&host=b", f"search={'x' * 201}", "offset=99999999999999999999"],
)  # fmt: skip
def test_a_parameter_of_no_use_is_refused(served: LivingHub, query: str) -> None:
    status, _, content = served.ask("GET", f"/v1/episodes?{query}")
    assert (status, json.loads(content)["error"]) == (400, "bad-query")


def test_a_new_episode_is_found_at_once(tmp_path: Path) -> None:
    plans = ("episodes", "snapshot")
    index = tmp_path / "store" / "index.jsonl"
    index.parent.mkdir()
    index.touch()  # without it the first rows would be no news
    with (
        living_hub(
            tmp_path, plans=lambda watching: [one for one in watching.plans if one.name in plans]
        ) as served,
        served.listen() as heard,
    ):
        heard.topic("snapshot")
        for number in range(3):
            add_episode(tmp_path / "store", "lab-a", episode_id(number), b"x")
            assert heard.topic("episode")["data"]["episode_id"] == episode_id(number)
            newest = ask(served, sort="episode_id", limit=1)
            assert newest["rows"][0]["episode_id"] == episode_id(number)
            assert newest["everything"] == number + 1


words = st.sampled_from(["", "a", "lab", "x-y", "<b>", "é"])


@given(
    st.lists(
        st.tuples(words, words, st.sampled_from(["accepted", None]), st.booleans()), max_size=9
    ),
    st.sampled_from(["", "a", "B>", "É", "1"]),
    st.sampled_from([None, "a", "lab"]),
    st.integers(0, 4),
    st.integers(0, 4),
)
def test_what_is_found_is_what_a_plain_look_finds(rows, search, host, offset, limit):
    episodes, judged = [], {}
    for number, (owner, profile, status, same) in enumerate(rows):
        name = episode_id(number)
        episodes.append(
            ReceivedEpisode(
                episode_id=name, host_id=owner, sha256="a" * 64, size_bytes=1, received_at=None
            )
        )
        if status:
            judged[name] = Judged(
                sha256=("a" if same else "b") * 64, status=status, reasons=(), soft_reasons=(),
                profile=profile, sample_name=None, sample_kind=None, duration_observed_s=None,
                phases=(),
            )  # fmt: skip
    query = Query(search=search, host=host, offset=offset, limit=limit)
    page = find(listing_of(episodes, judged), query)
    expected = [
        episode_id(number)
        for number, (owner, profile, status, same) in reversed(list(enumerate(rows)))
        if (host is None or owner == host)
        and (
            not search
            or search.lower() in owner.lower()
            or search.lower() in episode_id(number).lower()
            or search.lower() in "a" * 64
            or (status and same and search.lower() in profile.lower())
            or search.lower() in ("accepted" if status and same else "unjudged")
        )
    ]
    assert page.total == len(expected)
    assert [row.episode_id for row in page.rows] == expected[offset : offset + limit]
