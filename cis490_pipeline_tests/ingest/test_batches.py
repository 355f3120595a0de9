"""Threads share a batch: none waits for another, and the outcomes are in the order of the index."""

import sys
import threading

import pytest

from cis490_pipeline.episodes.received import read_received
from cis490_pipeline.episodes.store import EpisodeStore
from cis490_pipeline.ingest import batches
from cis490_pipeline.ingest.one_pass import visit
from cis490_pipeline.ingest.options import IngestOptions
from cis490_pipeline_tests.episodes.building import build_store

DEADLINE_S = 60.0


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return EpisodeStore(build_store(tmp_path_factory.mktemp("nine") / "store", {"lab-a": 9}).root)


def _visited(store, options):
    due = read_received(store.index_path).entries
    found = batches.visit_in_batches(store, due, options, with_content=False)
    return [[outcome.row.episode_id for outcome in outcomes] for outcomes in found]


@pytest.mark.parametrize("threads", [1, 2, 3, 20])
def test_outcomes_are_in_the_order_of_the_index_whatever_the_threads(store, threads):
    names = [entry.episode_id for entry in read_received(store.index_path).entries]
    found = _visited(store, IngestOptions(threads=threads, episodes_per_commit=4))
    assert found == [names[:4], names[4:8], names[8:]]


def test_an_episode_that_takes_long_holds_up_no_other(store, monkeypatch):
    """It waits for every other of its batch: with fixed shares that would never end."""
    names = [entry.episode_id for entry in read_received(store.index_path).entries]
    others_done, done = threading.Event(), []

    def slow_first(store, entry, **arguments):
        if entry.episode_id == names[0]:
            assert others_done.wait(DEADLINE_S)
        outcome = visit(store, entry, **arguments)
        done.append(entry.episode_id)
        if len(done) == len(names) - 1:
            others_done.set()
        return outcome

    monkeypatch.setattr(batches, "visit", slow_first)
    assert _visited(store, IngestOptions(threads=2, episodes_per_commit=9)) == [names]
    assert done[-1] == names[0]


def test_what_a_thread_raises_ends_the_run(store, monkeypatch):
    def broken(store, entry, **arguments):
        raise MemoryError("none left")

    monkeypatch.setattr(batches, "visit", broken)
    with pytest.raises(MemoryError, match="none left"):
        _visited(store, IngestOptions(threads=2, episodes_per_commit=4))


def test_a_run_hands_back_the_interpreters_pace_however_it_ends(store, monkeypatch):
    before, paces = sys.getswitchinterval(), []

    def watched(store, entry, **arguments):
        paces.append(sys.getswitchinterval())
        if len(paces) > 5:
            raise MemoryError("none left")
        return visit(store, entry, **arguments)

    monkeypatch.setattr(batches, "visit", watched)
    with pytest.raises(MemoryError):
        _visited(store, IngestOptions(threads=2, episodes_per_commit=4))
    assert max(paces) < before
    assert sys.getswitchinterval() == before
