"""``receive``, ``ship`` and ``pull``: real episodes to a receiver, to a mirror, into tables."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cis490_pipeline_tests.cli.running import PROGRAM, Call, installed
from cis490_pipeline_tests.ingest.content import content_of
from cis490_pipeline_tests.receiver.living import living

CORPUS = Path(__file__).resolve().parents[2] / "data" / "corpus"


@contextmanager
def receiving(store: Path, log: Path) -> Generator[str]:
    """Run ``cis490 receive``; yields its address once it listens; it ends by SIGTERM, with 0."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("CIS490_")}
    with log.open("wb") as file:
        process = subprocess.Popen(
            [str(PROGRAM), "receive", str(store), "--port", "0"], stderr=file, env=kept
        )
        try:
            deadline = time.monotonic() + 60
            while "http://" not in log.read_text() and time.monotonic() < deadline:
                assert process.poll() is None, log.read_text()
                time.sleep(0.05)
            url = "http://" + log.read_text().split("http://")[1].split()[0]
            port = int(url.rsplit(":", 1)[1])
            socket.create_connection(("127.0.0.1", port), timeout=20).close()
            yield url
        finally:
            process.terminate()
            ended = process.wait(timeout=60)
    assert ended in (0, -15), log.read_text()


def token_of(store: Path, option: str, name: str, cwd: Path) -> str:
    words = ("receive", store, option, name, "--json")
    return installed(*words, cwd=cwd).must_succeed().result[option[2:].replace("-", "_")]


def without_times(content: dict) -> dict:
    """Drop when an episode was received: the receiver's clock says it anew."""
    for rows in content.values():
        for row in rows if isinstance(rows, list) else ():
            row.pop("received_at_s", None)
    return content


@pytest.mark.end_to_end
def test_real_episodes_make_the_same_tables_shipped_and_mirrored(
    tmp_path: Path, call: Call
) -> None:
    shipped = {
        host: sorted((CORPUS / "episodes" / host).iterdir())[:4] for host in ("lab-a", "lab-b")
    }
    store = tmp_path / "store"
    tokens = {host: token_of(store, "--add-token", host, tmp_path) for host in shipped}
    reader = token_of(store, "--add-reader", "gpu-box", tmp_path)
    with receiving(store, tmp_path / "log") as url:
        for host, files in shipped.items():
            for n_new in (4, 0):
                done = installed(
                    "ship", *files, "--to", url, "--json", cwd=tmp_path, CIS490_TOKEN=tokens[host]
                ).must_succeed()
                assert (done.result["shipped"], done.result["already"]) == (n_new, 4 - n_new)
        (tmp_path / "token").write_text(f"CIS490_TOKEN={reader}\n")
        for n_new in (8, 0):
            words = ("pull", url, tmp_path / "mirror", "--token-file", tmp_path / "token", "--json")
            done = installed(*words, cwd=tmp_path).must_succeed()
            assert (done.result["pulled"], done.result["episodes"]) == (n_new, 8)
    direct = tmp_path / "direct"
    direct.mkdir()
    (direct / "episodes").symlink_to(CORPUS / "episodes")
    names = {path.name.split(".")[0] for files in shipped.values() for path in files}
    lines = (CORPUS / "index.jsonl").read_text().splitlines(keepends=True)
    (direct / "index.jsonl").write_text(
        "".join(line for line in lines if any(name in line for name in names))
    )
    tables = {}
    for name in ("store", "mirror", "direct"):
        words = ("ingest", tmp_path / name, "--data", tmp_path / f"data-{name}", "--json")
        assert call(*words).must_succeed().result["episodes_total"] == 8
        tables[name] = content_of(tmp_path / f"data-{name}")
    assert tables["mirror"] == tables["store"]
    assert without_times(tables["store"]) == without_times(tables["direct"])


def test_tokens_are_made_listed_and_removed(tmp_path: Path, call: Call) -> None:
    store = tmp_path / "store"
    made = call("receive", store, "--add-token", "lab-a").must_succeed()
    assert "CIS490_TOKEN=" in made.stdout
    call("receive", store, "--add-reader", "box").must_succeed()
    listed = call("receive", store, "--list-tokens", "--json").must_succeed()
    assert [one["name"] for one in listed.result["tokens"]] == ["lab-a", "box"]
    assert made.stdout.split("=")[1].strip() not in listed.stdout
    assert call("receive", store, "--remove-token", "lab-a", "--json").result == {"removed": True}
    left = call("receive", store, "--list-tokens", "--json").result["tokens"]
    assert [one["name"] for one in left] == ["box"]


@pytest.mark.parametrize("name", ["", "..", "a/b", "a b", "-x", "x" * 64])
def test_a_name_that_no_host_has_gets_no_token(tmp_path: Path, call: Call, name: str) -> None:
    call("receive", tmp_path, f"--add-token={name}").check_refusal(2, "no name")
    assert not (tmp_path / "receiver" / "tokens.json").exists()


def test_wrong_usage_is_said(tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    episode = CORPUS / "episodes" / "lab-a" / "01M80S2CGMBT6YE5JN3DKS75QC.tar.zst"
    certificate = tmp_path / "certificate"
    certificate.touch()
    call("receive", tmp_path, "--certificate", certificate).check_refusal(2, "belong together")
    call("pull", "http://127.0.0.1:1", tmp_path, "--host", "..").check_refusal(2, "no name")
    call("ship", episode, "--to", "http://127.0.0.1:1").check_refusal(2, "no token")
    monkeypatch.setenv("CIS490_TOKEN", "x" * 43)
    call("ship", episode, "--to", "http://lab.example").check_refusal(2, "readably")
    call("ship", tmp_path / "x", "--to", "http://127.0.0.1:1").check_refusal(2, "not named")


def test_an_occupied_port_and_a_store_in_use_are_said(tmp_path: Path, call: Call) -> None:
    with living(tmp_path / "one") as served:
        port = ("--port", served.port)
        call("receive", tmp_path / "two", *port).check_refusal(2, "cannot listen", "in use")
        call("receive", tmp_path / "one").check_refusal(1, "another receiver")


def test_what_is_left_is_said_when_it_ends_early(
    tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = sorted((CORPUS / "episodes" / "lab-a").iterdir())[:3]
    with living(tmp_path / "store") as served:
        monkeypatch.setenv("CIS490_TOKEN", "x" * 43)
        done = call("ship", *files, "--to", served.url)
        assert "3 left" in done.stdout
        done.check_refusal(1, "does not accept the token")
        monkeypatch.setenv("CIS490_TOKEN", served.host_token)
        call("ship", *files, "--to", served.url).must_succeed()
        done = call("ship", *files, "--to", served.url, "--host", "lab-b", "--json")
        done.check_refusal(1, "403")
        monkeypatch.setenv("CIS490_TOKEN", served.reader_token)
        pulled = call("pull", served.url, tmp_path / "mirror", "--json").must_succeed()
        assert pulled.result["pulled"] == 3
        (served.root / "episodes" / "lab-a" / files[0].name).unlink()
        missing = call("pull", served.url, tmp_path / "other", "--json")
        assert (missing.status, missing.result["missing"], missing.result["pulled"]) == (1, 1, 2)


_NO_EXTRAS = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"starlette", "uvicorn", "anyio", "h11", "httpx"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Refuse())
from cis490_pipeline.cli.main import main
main()
"""


def _without_live(*words: object, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _NO_EXTRAS, *map(str, words)],
        cwd=cwd,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_only_serving_needs_the_extra_and_says_which(tmp_path: Path) -> None:
    done = _without_live("receive", tmp_path / "new", cwd=tmp_path)
    assert done.returncode == 1
    assert "cis490-pipeline[live]" in done.stderr
    assert "Traceback" not in done.stderr
    made = _without_live("receive", tmp_path / "new", "--add-token", "lab-a", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    episode = sorted((CORPUS / "episodes" / "lab-a").iterdir())[0]
    with living(tmp_path / "store") as served:
        done = _without_live(
            "ship", episode, "--to", served.url, cwd=tmp_path, CIS490_TOKEN=served.host_token
        )
        assert done.returncode == 0, done.stderr
        done = _without_live(
            "pull", served.url, "mirror", cwd=tmp_path, CIS490_TOKEN=served.reader_token
        )
        assert done.returncode == 0, done.stderr
