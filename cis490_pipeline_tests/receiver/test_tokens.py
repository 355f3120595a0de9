"""Who may do what; what a token file says to whoever finds it."""

import hmac
import stat
from pathlib import Path

import pytest

from cis490_pipeline.errors import ConfigurationError
from cis490_pipeline.receiver.tokens import Access, Tokens
from cis490_pipeline_tests.receiver.doors import Door, address, rows_of


@pytest.mark.parametrize("who", [None, "nonsense", "x" * 43, "", "é" * 30])
@pytest.mark.parametrize("method", ["PUT", "GET", "HEAD"])
def test_without_a_token_nothing_is_told_or_taken(door: Door, who: str | None, method: str) -> None:
    headers = {} if who is None else {"Authorization": f"Bearer {who}".encode("latin-1")}
    answer = door.ask(method, address(0), None, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert door.ask("GET", "/v1/index", None, headers=headers).status_code == 401
    assert rows_of(door.root) == []


def test_a_token_in_another_scheme_is_none(door: Door) -> None:
    headers = {"Authorization": f"Basic {door.tokens['lab-a']}"}
    assert door.ask("GET", address(0), None, headers=headers).status_code == 401


@pytest.mark.parametrize("method", ["PUT", "GET", "HEAD"])
def test_a_host_has_its_own_episodes_only(door: Door, method: str) -> None:
    door.put(b"theirs", host="lab-b", who="lab-b")
    assert door.ask(method, address(0, "lab-b"), "lab-a", content=b"x").status_code == 403
    assert door.ask(method, address(0, "nobody"), "lab-a", content=b"x").status_code == 403


def test_a_reader_reads_every_host_and_writes_none(door: Door) -> None:
    door.put(b"theirs", host="lab-b", who="lab-b")
    assert door.ask("GET", address(0, "lab-b"), "box").content == b"theirs"
    assert door.put(b"x", number=1, who="box").status_code == 403


def test_the_index_shows_a_host_its_own_rows(door: Door) -> None:
    door.put(b"mine")
    door.put(b"theirs", number=1, host="lab-b", who="lab-b")

    def hosts(who: str, query: str = "") -> list[str]:
        return [row["host_id"] for row in door.ask("GET", f"/v1/index{query}", who).json()["rows"]]

    assert hosts("box") == ["lab-a", "lab-b"]
    assert hosts("box", "?host=lab-b") == ["lab-b"]
    assert hosts("lab-a") == hosts("lab-a", "?host=lab-a") == ["lab-a"]
    assert door.ask("GET", "/v1/index?host=lab-b", "lab-a").status_code == 403
    assert door.ask("GET", "/v1/index?host=..", "box").status_code == 400


def test_a_changed_file_counts_at_once(door: Door) -> None:
    tokens = Tokens(door.root / "receiver" / "tokens.json")
    new = tokens.add("lab-a", Access.HOST)
    assert door.put(b"x").status_code == 401, "the former token is void"
    assert door.put(b"x", who=new).status_code == 201
    assert tokens.remove("lab-a")
    assert not tokens.remove("lab-a")
    assert door.put(b"x", who=new).status_code == 401


def test_the_file_holds_no_token_and_is_its_owners_alone(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path / "tokens.json")
    made = [tokens.add("lab-a", Access.HOST), tokens.add("lab-a", Access.READER)]
    text = tokens.path.read_text()
    assert not any(token in text for token in made)
    assert len(set(made)) == 2
    assert all(len(token) >= 43 for token in made)
    assert stat.S_IMODE(tokens.path.stat().st_mode) == 0o600
    assert [one.access for one in tokens.grants()] == [Access.HOST, Access.READER]
    assert [path.name for path in tmp_path.iterdir()] == ["tokens.json"]


def test_every_hash_is_compared_in_constant_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = Tokens(tmp_path / "tokens.json")
    first, *_ = [tokens.add(f"lab-{number}", Access.HOST) for number in range(5)]
    compared: list[str] = []
    genuine = hmac.compare_digest

    def counting(one: str, other: str) -> bool:
        compared.append(one)
        return genuine(one, other)

    monkeypatch.setattr(hmac, "compare_digest", counting)
    found = tokens.grant_of(first)
    assert found is not None
    assert found.name == "lab-0"
    assert len(compared) == 5, "also those behind the one that was found"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_file_that_others_may_read_or_write_is_not_believed(tmp_path: Path, mode: int) -> None:
    tokens = Tokens(tmp_path / "tokens.json")
    token = tokens.add("lab-a", Access.HOST)
    tokens.path.chmod(mode)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        tokens.grant_of(token)


@pytest.mark.parametrize("text", ["", "{}", '{"version": 2, "tokens": []}', "[]", '{"version": 1'])
def test_a_damaged_file_lets_nobody_in_and_tells_only_the_operator(
    door: Door, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = door.root / "receiver" / "tokens.json"
    path.write_text(text)
    answer = door.put(b"x")
    assert (answer.status_code, answer.json()["error"]) == (503, "unavailable")
    assert "tokens" not in answer.text
    assert str(path) in caplog.text
