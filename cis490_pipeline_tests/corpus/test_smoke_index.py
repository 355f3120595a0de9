import json
import random
from collections import Counter

import pytest

from cis490_pipeline.splits.config import SplitConfig
from cis490_pipeline.splits.planning import is_id_val
from cis490_pipeline_tests.corpus.smoke_index import (
    CORPUS,
    SmokeEntry,
    choose_smoke,
    corpus_entries,
    smoke_index,
    smoke_lines,
)

PHASES = {"clean", "armed", "infecting", "infected_running", "dormant"}


@pytest.fixture(scope="module")
def entries() -> tuple[SmokeEntry, ...]:
    return corpus_entries(CORPUS)


@pytest.fixture(scope="module")
def chosen(entries: tuple[SmokeEntry, ...]) -> list[SmokeEntry]:
    lines = (CORPUS / "smoke_index.jsonl").read_bytes().splitlines()
    ids = {json.loads(line)["episode_id"] for line in lines}
    return [entry for entry in entries if entry.episode_id in ids]


def test_committed_file_is_what_the_script_makes():
    assert (CORPUS / "smoke_index.jsonl").read_bytes() == smoke_index(CORPUS)


def test_lines_are_untouched_lines_of_the_index_in_its_order():
    index = (CORPUS / "index.jsonl").read_bytes().splitlines(keepends=True)
    smoke = (CORPUS / "smoke_index.jsonl").read_bytes().splitlines(keepends=True)
    positions = [index.index(line) for line in smoke]
    assert positions == sorted(set(positions))


def test_each_host_has_24_episodes(chosen: list[SmokeEntry]):
    assert Counter(e.host_id for e in chosen) == {"lab-a": 24, "lab-b": 24}


def test_profiles_are_balanced_on_each_host(entries: tuple[SmokeEntry, ...], chosen):
    for host in ("lab-a", "lab-b"):
        counts = Counter(e.profile for e in chosen if e.host_id == host)
        assert counts.keys() == {e.profile for e in entries if e.host_id == host}
        assert max(counts.values()) - min(counts.values()) <= 1


def test_every_phase_occurs_on_both_hosts(chosen: list[SmokeEntry]):
    for host in ("lab-a", "lab-b"):
        assert set().union(*(e.phases for e in chosen if e.host_id == host)) >= PHASES


def test_every_sample_of_the_corpus_is_there(entries: tuple[SmokeEntry, ...], chosen):
    assert {(e.host_id, e.sample_name) for e in chosen} == {
        (e.host_id, e.sample_name) for e in entries
    }


def test_degraded_and_full_episodes_are_both_there(chosen: list[SmokeEntry]):
    counts = Counter(e.degraded for e in chosen if e.host_id == "lab-b")
    assert counts[True] >= 8
    assert counts[False] >= 8


@pytest.mark.parametrize("host", ["lab-a", "lab-b"])
def test_learning_side_of_either_host_has_id_val_of_four_profiles(chosen, host: str):
    held = [e for e in chosen if e.host_id == host and is_id_val(e.episode_id, SplitConfig())]
    assert len({e.profile for e in held}) >= 4


def test_choice_ignores_the_order_of_the_entries(entries: tuple[SmokeEntry, ...]):
    shuffled = list(entries)
    random.Random(0).shuffle(shuffled)
    assert choose_smoke(shuffled) == choose_smoke(entries)


def test_host_with_few_episodes_gives_all_it_has():
    few = [
        SmokeEntry(
            episode_id=f"E{i}",
            host_id="lab-c",
            profile="io-walk",
            sample_name="x",
            degraded=False,
            phases=frozenset(PHASES),
            duration_s=60.0,
        )
        for i in range(3)
    ]
    assert choose_smoke(few) == ("E0", "E1", "E2")


def test_unchosen_lines_are_dropped_and_bytes_kept():
    index = b'{"episode_id": "A",  "x":1}\r\n{"episode_id": "B"}\n'
    assert smoke_lines(index, ["A"]) == b'{"episode_id": "A",  "x":1}\r\n'
