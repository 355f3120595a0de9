"""Many uploads at once, random aborts, ``kill -9`` of the receiver: what was acknowledged is there.

Every uploader sends its episode in pieces, breaks off now and then, and tries again until it hears
200 or 201; some give up for good, some ship an episode that another one ships too, some the same id
with other bytes. Meanwhile the receiver, the real command on a real socket, dies by SIGKILL again
and again and is started anew. In the end every acknowledged episode is on disk and in the index
exactly once, every 409 was kept aside, and no row is about anything else.

Not here: deaths at exact places (``receiver/test_recovery``).
"""

import argparse
import contextlib
import hashlib
import http.client
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cis490_pipeline.receiver.layout import ReceiverLayout
from cis490_pipeline.receiver.tokens import Access, Tokens
from cis490_pipeline_tests.episodes.building import episode_id

HOST: Final = "lab-a"
_PROGRAM: Final = "from cis490_pipeline.cli.main import main; main()"
_FAULTS: Final = (OSError, http.client.HTTPException)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """What one uploader ships; ``patient`` ones do not give up."""

    name: str
    data: bytes
    patient: bool
    seed: int

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


@dataclass(slots=True)
class Tally:
    """What the uploaders heard; written under ``lock``."""

    acknowledged: dict[str, str] = field(default_factory=dict)
    kept_aside: set[tuple[str, str]] = field(default_factory=set)
    heard: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def hear(self, what: str) -> None:
        with self.lock:
            self.heard[what] += 1


class Victim:
    """The receiver: started, killed, started again, always on one port."""

    def __init__(self, root: Path, log: Path) -> None:
        self.root = root
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port: int = probe.getsockname()[1]
        ReceiverLayout(root).make()
        self.token = Tokens(ReceiverLayout(root).tokens).add(HOST, Access.HOST)
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        words = [sys.executable, "-c", _PROGRAM, "receive", str(self.root)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*words, "--port", str(self.port)],
                env={**os.environ, "CIS490_RECEIVER_UPLOADS": "1000"},
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + 120
        while self.uploading() is None:
            assert self._process.poll() is None, self._log.read_text()
            assert time.monotonic() < deadline, "the receiver does not answer"
            time.sleep(0.02)

    def uploading(self) -> int | None:
        """Return how many bodies it is receiving; None where it does not answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", "/v1/health")
            return json.loads(connection.getresponse().read())["uploading"]
        except (*_FAULTS, ValueError, KeyError):
            return None
        finally:
            connection.close()

    def kill(self) -> None:
        """End it as nobody can refuse."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@contextlib.contextmanager
def victim_of(root: Path) -> Generator[Victim]:
    """Start a receiver over an empty store; kill it at the end."""
    victim = Victim(root / "store", root / "log")
    victim.start()
    try:
        yield victim
    finally:
        victim.kill()


def planned(n_uploads: int, chance: random.Random) -> list[Upload]:
    """Return what is shipped: 8 % twice, 5 % of the ids with other bytes, 6 % given up."""
    uploads: list[Upload] = []
    for number in range(n_uploads):
        kind = chance.random()
        before = chance.choice(uploads) if uploads and kind < 0.13 else None
        data = chance.randbytes(chance.randint(1, 200_000))
        uploads.append(
            Upload(
                name=episode_id(number) if before is None else before.name,
                data=before.data if before is not None and kind < 0.08 else data,
                patient=chance.random() >= 0.06,
                seed=chance.getrandbits(32),
            )
        )
    return uploads


def _attempt(upload: Upload, victim: Victim, chance: random.Random) -> int | None:
    """Send an episode; None where this side breaks off."""
    connection = http.client.HTTPConnection("127.0.0.1", victim.port, timeout=60)
    try:
        connection.putrequest("PUT", f"/v1/episodes/{HOST}/{upload.name}")
        connection.putheader("Authorization", f"Bearer {victim.token}")
        connection.putheader("Content-Length", str(len(upload.data)))
        connection.endheaders()
        size = max(1, len(upload.data) // chance.randint(1, 6))
        for start in range(0, len(upload.data), size):
            if chance.random() < 0.08:
                return None
            connection.send(upload.data[start : start + size])
            time.sleep(chance.random() * 0.3)
        if chance.random() < 0.05:  # everything is sent, and nobody listens to the answer
            return None
        return connection.getresponse().status
    finally:
        connection.close()


def _ship(upload: Upload, victim: Victim, tally: Tally, gate: threading.Barrier) -> None:
    chance = random.Random(upload.seed)
    gate.wait()
    while True:
        try:
            status = _attempt(upload, victim, chance)
        except _FAULTS:
            tally.hear("the receiver was gone")
            time.sleep(chance.random() * 0.5)
            continue
        if status is None:
            tally.hear("broken off")
            if not upload.patient:
                return
            continue
        tally.hear(str(status))
        with tally.lock:
            if status in (200, 201):
                tally.acknowledged[upload.name] = upload.sha256
            if status == 409:
                tally.kept_aside.add((upload.name, upload.sha256))
        if status in (200, 201, 409):
            return


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How the drill went, after everything was checked."""

    uploads: int
    kills: int
    most_at_once: int
    acknowledged: int
    rows: int
    unacknowledged_rows: int
    damaged_lines: int
    heard: dict[str, int]
    seconds: float

    def sentence(self) -> str:
        heard = ", ".join(f"{what}: {n}" for what, n in sorted(self.heard.items()))
        return (
            f"{self.uploads} uploads, {self.most_at_once} seen at once; {self.kills} kill -9 of "
            f"the receiver in {self.seconds:.0f} s\nheard: {heard}\n{self.acknowledged} episodes "
            f"acknowledged, each on disk and in the index exactly once; {self.rows} rows, "
            f"{self.unacknowledged_rows} of them of episodes whose uploader never heard; "
            f"{self.damaged_lines} damaged lines of the index"
        )


def run(root: Path, *, n_uploads: int, n_kills: int, seed: int) -> Outcome:
    """Let so many ship at once and kill the receiver so often, at least; then check everything.

    Raises
    ------
    AssertionError
        Where something acknowledged is lost, there twice, or something else is there.
    """
    chance = random.Random(seed)
    uploads, tally = planned(n_uploads, chance), Tally()
    gate = threading.Barrier(n_uploads + 1)
    started, kills, most = time.monotonic(), 0, 0
    with victim_of(root) as victim:
        threads = [
            threading.Thread(target=_ship, args=(upload, victim, tally, gate), daemon=True)
            for upload in uploads
        ]
        for thread in threads:
            thread.start()
        gate.wait()
        while n_left := sum(thread.is_alive() for thread in threads):
            most = max(most, victim.uploading() or 0)
            time.sleep(chance.random() * 0.1)
            # spread over the first half of what is shipped, so that every kill meets uploads
            if kills < n_kills and n_uploads - n_left >= n_uploads * kills / (2 * n_kills):
                time.sleep(chance.random() * 0.5)
                victim.kill()
                kills += 1
                victim.start()
        victim.kill()  # what is checked is what the disk has
        assert kills == n_kills, f"all was shipped after {kills} kills: ship more"
        rows, damaged = _check(victim.root, uploads, tally)
        victim.start()
        assert list(ReceiverLayout(victim.root).incoming.iterdir()) == []
    return Outcome(
        uploads=n_uploads,
        kills=kills,
        most_at_once=most,
        acknowledged=len(tally.acknowledged),
        rows=rows,
        unacknowledged_rows=rows - len(tally.acknowledged),
        damaged_lines=damaged,
        heard=dict(tally.heard),
        seconds=time.monotonic() - started,
    )


def _check(root: Path, uploads: list[Upload], tally: Tally) -> tuple[int, int]:
    """Compare disk and index with what was heard; return the numbers of rows and damaged lines.

    The index is parsed here by ``json`` alone, so that no reader of ours hides what it forgives.
    """
    rows: dict[str, dict[str, object]] = {}
    damaged = 0
    for line in (root / "index.jsonl").read_bytes().splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            damaged += 1
            continue
        assert row["episode_id"] not in rows, f"twice in the index: {row}"
        rows[row["episode_id"]] = row
    shipped = {(upload.name, upload.sha256) for upload in uploads}
    for name, row in rows.items():
        data = (root / "episodes" / HOST / f"{name}.tar.zst").read_bytes()
        assert hashlib.sha256(data).hexdigest() == row["sha256"], row
        assert (len(data), HOST) == (row["size_bytes"], row["host_id"]), row
        assert (name, row["sha256"]) in shipped, row
    for name, sha256 in tally.acknowledged.items():
        assert rows[name]["sha256"] == sha256, f"acknowledged and not in the index: {name}"
    for name, sha256 in tally.kept_aside:
        aside = ReceiverLayout(root).conflicts / HOST / f"{name}.{sha256}.tar.zst"
        assert hashlib.sha256(aside.read_bytes()).hexdigest() == sha256, aside
    return len(rows), damaged


def main() -> None:
    """Run the drill and print how it went."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--uploads", type=int, default=500)
    parser.add_argument("--kills", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        outcome = run(Path(root), n_uploads=chosen.uploads, n_kills=chosen.kills, seed=chosen.seed)
    print(outcome.sentence())


if __name__ == "__main__":
    main()
