"""What is concluded from deaths: who is condemned, when it is tried again, and when it is not.

The workers are a script here; real ones die in ``test_poison``.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cis490_pipeline.episodes.archive import ArchiveLimits
from cis490_pipeline.episodes.episode import OpenFailure
from cis490_pipeline.episodes.store import FileStamp
from cis490_pipeline.errors import IngestError
from cis490_pipeline.ingest import supervisor
from cis490_pipeline.ingest.black_box import held_box
from cis490_pipeline.ingest.child import Death, Hear
from cis490_pipeline.ingest.messages import (
    AloneJob,
    AnyJob,
    Committed,
    Finished,
    IngestJob,
    Looking,
    Progressed,
)
from cis490_pipeline.ingest.supervisor import Supervisor

DONE = Finished()
STAMP = FileStamp(size_bytes=5, mtime_ns=7)


class Script:
    """Workers that end as they are told; those that visit ``deadly`` ones alone die."""

    def __init__(self, *lives: Finished | Death, deadly: dict[str, Death] | None = None) -> None:
        self.lives: Iterator[Finished | Death] = iter(lives)
        self.deadly = deadly or {}
        self.jobs: list[IngestJob] = []
        self.alone: list[str] = []
        self.progress: list[tuple[int, int]] = []

    def run_child(self, job: AnyJob, box: object, limit_s: float, hear: Hear) -> Finished | Death:
        if isinstance(job, AloneJob):
            self.alone.append(job.episode_id)
            hear(Looking("sha", STAMP))
            return self.deadly.get(job.episode_id, DONE)
        assert isinstance(job, IngestJob)
        self.jobs.append(job)
        return next(self.lives)

    @property
    def condemned(self) -> dict[str, OpenFailure]:
        """What the last worker was told not to open."""
        assert all(one.stamp == STAMP and one.sha256 == "sha" for one in self.jobs[-1].condemned)
        return {one.episode_id: one.failure for one in self.jobs[-1].condemned}


def died(*suspects: str, how: str = "SIGSEGV") -> Death:
    return Death(how=how, suspects=suspects)


def carry(script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Supervisor:
    monkeypatch.setattr(supervisor, "run_child", script.run_child)
    with held_box(tmp_path / "box", 4) as (box, _):
        job = IngestJob(
            parent=1,
            box="box",
            store="store",
            index="index.jsonl",
            threads=4,
            episodes_per_commit=100,
            limits=ArchiveLimits(),
            with_content=True,
            data="data",
            host_id="lab-a",
            upto="",
        )
        carried = Supervisor(
            job, box, 1.0, lambda done, total: script.progress.append((done, total))
        )
        carried.carry_through()
    return carried


def test_only_those_that_die_alone_are_condemned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hung = Death(how="1 s", suspects=("b",), hung=True)
    script = Script(died("a", "b", "c"), DONE, deadly={"a": died("a", how="SIGBUS"), "b": hung})
    carry(script, tmp_path, monkeypatch)
    assert script.alone == ["a", "b", "c"]
    assert script.condemned == {
        "a": OpenFailure(kind="DecoderDied", message="SIGBUS"),
        "b": OpenFailure(kind="DecoderHung", message="1 s"),
    }
    assert [job.threads for job in script.jobs] == [4, 4]


def test_a_visit_that_dies_before_it_opens_the_tarball_says_nothing_about_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = Script(died("a"), DONE, deadly={"a": died()})
    carry(script, tmp_path, monkeypatch)
    assert script.condemned == {}


def test_an_episode_that_kills_in_company_alone_is_condemned_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory that an earlier one spoilt kills at a later one, and not where that one is alone."""
    script = Script(died("a", "b"), died("a", "c"), died("a"), DONE)
    carry(script, tmp_path, monkeypatch)
    assert [job.threads for job in script.jobs] == [4, 4, 1, 4]
    assert script.condemned == {"a": OpenFailure(kind="DecoderDied", message="SIGSEGV")}


@pytest.mark.parametrize("how", ["SIGKILL", "SIGTERM"])
def test_the_innocent_are_not_condemned_for_what_comes_from_outside(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = Script(*[died("a", how=how)] * 3)
    with pytest.raises(IngestError, match="no episode explains it") as refused:
        carry(script, tmp_path, monkeypatch)
    assert refused.value.found == f"{how} a"
    assert refused.value.where == "data, host lab-a"
    assert refused.value.todo


def test_a_worker_that_dies_without_a_suspect_is_tried_three_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = Script(*[died(how="exit status 1")] * 3)
    with pytest.raises(IngestError, match="exit status 1"):
        carry(script, tmp_path, monkeypatch)
    assert len(script.jobs) == 3


def test_an_exception_outside_of_every_visit_is_not_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = Script(Death(how="TypeError", suspects=(), detail="not a number"))
    with pytest.raises(IngestError, match="TypeError not a number"):
        carry(script, tmp_path, monkeypatch)
    assert len(script.jobs) == 1


def test_deaths_do_not_add_up_while_it_gets_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lives = [died("a", how="SIGKILL") for _ in range(6)]
    script = Script(*lives, DONE)
    real = script.run_child

    def run_child(job: AnyJob, box: object, limit_s: float, hear: Hear) -> Finished | Death:
        if isinstance(job, IngestJob):
            hear(Committed(9))
            hear(Progressed(10, 100 - 10 * len(script.jobs)))
        return real(job, box, limit_s, hear)

    monkeypatch.setattr(script, "run_child", run_child)
    carried = carry(script, tmp_path, monkeypatch)
    assert script.progress == [(10 * n, 100) for n in range(1, 8)]
    assert (carried.n_new, carried.n_due) == (63, 100)
