"""``alerts.jsonl``: appended once, whole, beside anything, by several, and without a right to."""

import errno
import fcntl
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cis490_pipeline.quality.alerts import Alert, append_alerts, parse_alerts, read_alerts

ALERT = Alert(
    host="lab-b",
    symptom="degraded-share",
    detail="30 of the newest 30 episodes are degraded",
    suggested_fix="look at the bridge",
    detected_at_wall="2026-11-22T13:00:00+00:00",
    dedup_key="quality/degraded-share/lab-b/2026-11-22",
)
LINE = json.dumps({name: getattr(ALERT, name) for name in Alert.__slots__}).encode()


def keyed(*keys: str) -> list[Alert]:
    return [replace(ALERT, dedup_key=key) for key in keys]


def keys(path: Path) -> list[str]:
    return [alert.dedup_key for alert in read_alerts(path).alerts]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "alerts.jsonl"


def test_an_alert_is_one_line_with_the_keys_of_the_format(path: Path) -> None:
    assert append_alerts(path, [ALERT]).n_new == 1
    (line,) = path.read_bytes().splitlines()
    assert json.loads(line) == json.loads(LINE)
    assert list(json.loads(line)) == [
        *("host", "symptom", "detail", "suggested_fix", "detected_at_wall", "dedup_key")
    ]
    assert read_alerts(path).alerts == (ALERT,)


def test_the_same_key_is_appended_once(path: Path) -> None:
    assert append_alerts(path, keyed("a", "b", "a")).n_new == 2
    assert append_alerts(path, keyed("b", "c")).n_new == 1
    before = path.read_bytes()
    assert append_alerts(path, keyed("a", "c")).n_new == 0
    assert append_alerts(path, []).n_new == 0
    assert path.read_bytes() == before
    assert keys(path) == ["a", "b", "c"]


def test_nothing_to_say_makes_no_file(path: Path) -> None:
    assert append_alerts(path, []).failure == ""
    assert not path.exists()


@pytest.mark.parametrize("tail", [b'{"host": "lab-a", "symp', b"\xff\xfe", b"{", LINE])
def test_a_last_line_without_newline_is_not_glued_to_ours(path: Path, tail: bytes) -> None:
    path.write_bytes(b'{"dedup_key": "old"}\n' + tail)
    assert append_alerts(path, keyed("new")).n_new == 1
    assert path.read_bytes().startswith(b'{"dedup_key": "old"}\n' + tail + b"\n")
    assert json.loads(path.read_bytes().splitlines()[-1])["dedup_key"] == "new"
    assert {"old", "new"} <= set(keys(path))


def test_keys_behind_damage_are_known(path: Path) -> None:
    """Two objects on a line, an alert glued to a torn one, foreign bytes, blank lines, CRLF."""
    path.write_bytes(
        b'{"dedup_key": "one"}{"dedup_key": "two"}\n'
        b'{"host": "lab-a", "sym{"dedup_key": "three", "detail": "{"}\n'
        b'\xff\xfe\n\n   \n[1, 2]\n{"dedup_key": "four", "host": null, "extra": {"x": 1}}\r\n'
    )
    reading = read_alerts(path)
    assert sorted(reading.keys) == ["four", "one", "three", "two"]
    assert reading.n_damaged == 4
    assert append_alerts(path, keyed("one", "two", "three", "four")).n_new == 0
    assert append_alerts(path, keyed("five")).n_new == 1


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.binary(max_size=300))
@example(b'{"a":' * 60)
@example(LINE[:40] + LINE)
def test_any_bytes_are_an_answer_and_take_an_alert(data: bytes) -> None:
    parse_alerts(data)
    after = parse_alerts(data + b"\n" + LINE + b"\n")
    assert ALERT.dedup_key in after.keys


def test_a_store_that_may_not_be_written_is_said_and_raises_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(errno.EROFS, "Read-only file system", str(path))

    append_alerts(path, keyed("known"))
    monkeypatch.setattr(os, "open", refuse)
    outcome = append_alerts(path, keyed("new"))
    assert (outcome.n_new, "Read-only file system" in outcome.failure) == (0, True)
    assert str(path) in outcome.failure
    assert append_alerts(path, keyed("known")).failure == "", "nothing had to be written"


def test_a_store_that_is_gone_and_a_directory_in_its_place_are_said(tmp_path: Path) -> None:
    assert "No such file" in append_alerts(tmp_path / "no" / "alerts.jsonl", [ALERT]).failure
    (tmp_path / "alerts.jsonl").mkdir()
    assert "directory" in append_alerts(tmp_path / "alerts.jsonl", [ALERT]).failure


def test_a_disk_that_takes_a_part_is_said_and_leaves_a_readable_file(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: whole(handle, data[:25]))
    outcome = append_alerts(path, keyed("lost"))
    assert "only 25 of" in outcome.failure
    monkeypatch.undo()
    assert append_alerts(path, keyed("lost")).n_new == 1
    assert keys(path) == ["lost"]


PREAMBLE = """
import os, signal, sys
from dataclasses import replace
from pathlib import Path
from cis490_pipeline.quality.alerts import Alert, append_alerts
path = Path(sys.argv[1])
def alert(key):
    return Alert(host="lab-a", symptom="s", detail="d" * 3000, suggested_fix="f",
                 detected_at_wall="w", dedup_key=key)
"""
APPENDING = (
    PREAMBLE
    + """
for n in range(40):
    append_alerts(path, [alert(f"shared-{n}")])
    append_alerts(path, [alert(f"{sys.argv[2]}-{n}")])
"""
)
WAITING = (
    PREAMBLE
    + """
import fcntl
real = fcntl.flock
def told(handle, operation):
    print("locking", flush=True)
    real(handle, operation)
fcntl.flock = told
print(append_alerts(path, [alert("shared")]).n_new, flush=True)
"""
)
DYING = (
    PREAMBLE
    + """
whole = os.write
def half(handle, data):
    whole(handle, data[:len(data) // 2])
    os.kill(os.getpid(), signal.SIGKILL)
os.write = half
append_alerts(path, [alert("dying")])
"""
)


def start(code: str, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", code, *arguments])


def test_two_processes_append_every_alert_once_and_tear_none(path: Path) -> None:
    writers = [start(APPENDING, str(path), name) for name in ("a", "b")]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0]
    reading = read_alerts(path)
    assert reading.n_damaged == 0
    expected = sorted(f"{name}-{n}" for name in ("shared", "a", "b") for n in range(40))
    assert sorted(alert.dedup_key for alert in reading.alerts) == expected


def test_who_waits_for_the_lock_sees_what_its_holder_wrote(path: Path) -> None:
    with path.open("ab") as holder:
        fcntl.flock(holder, fcntl.LOCK_EX)
        code = [sys.executable, "-c", WAITING, str(path)]
        waiting = subprocess.Popen(code, stdout=subprocess.PIPE)
        assert waiting.stdout is not None
        assert waiting.stdout.readline() == b"locking\n"
        holder.write(b'{"dedup_key": "shared"}\n')
    said, _ = waiting.communicate(timeout=60)
    assert (said, waiting.returncode) == (b"0\n", 0)
    assert keys(path) == ["shared"]


def test_a_writer_killed_in_its_write_leaves_a_torn_line_and_no_lock(path: Path) -> None:
    append_alerts(path, keyed("before"))
    assert start(DYING, str(path)).wait(timeout=60) == -signal.SIGKILL
    torn = read_alerts(path)
    assert ([a.dedup_key for a in torn.alerts], torn.n_damaged) == (["before"], 1)
    assert append_alerts(path, keyed("dying", "after")).n_new == 2
    assert keys(path) == ["before", "dying", "after"]
    assert len(path.read_bytes().splitlines()) == 4
