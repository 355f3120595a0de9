"""The client: addresses, patience, what it never sends where."""

import random
import socket
import threading
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager

import pytest

from cis490_pipeline.errors import ConfigurationError, TransferError
from cis490_pipeline.receiver.client import Address, Client, Patience
from cis490_pipeline_tests.receiver.living import impatient

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
LATER = b"HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n"


@contextmanager
def scripted(answers: Sequence[bytes]) -> Generator[tuple[int, list[bytes]]]:
    """Answer one connection after the other with these bytes; an empty one hangs up."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(20)

        def serve() -> None:
            for answer in answers:
                connection, _ = listening.accept()
                with connection:
                    heard.append(connection.recv(1 << 16))
                    connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listening.getsockname()[1], heard
        thread.join(timeout=20)


def client_of(port: int, patience: Patience) -> Client:
    return Client(Address.parse(f"http://127.0.0.1:{port}/lab"), "secret", patience, timeout_s=20)


def test_faults_of_the_network_and_of_the_server_are_tried_again() -> None:
    pauses: list[float] = []
    patience = Patience(attempts=4, chance=random.Random(0), sleep=pauses.append)
    closing = OK.replace(b"OK\r\n", b"OK\r\nConnection: close\r\n", 1)
    with scripted([b"", LATER, b"HTTP/1.1 garbage", closing]) as (port, heard):
        answer = client_of(port, patience).ask("GET", "/v1/health")
    assert (answer.status, answer.content) == (200, b"ok")
    assert len(heard) == 4
    assert all(text.startswith(b"GET /lab/v1/health HTTP/1.1") for text in heard)
    assert all(b"Authorization: Bearer secret" in text for text in heard)
    assert 0.25 <= pauses[0] <= 0.5
    assert pauses[1] == 7.0, "what the server asked for"
    assert 1.0 <= pauses[2] <= 2.0


def test_patience_ends_with_a_sentence_that_says_what_to_do() -> None:
    sentence = r"3 attempts.*503.*same command"
    with scripted([LATER] * 3) as (port, _), pytest.raises(TransferError, match=sentence):
        client_of(port, impatient(3)).ask("GET", "/x")


def test_nobody_there_is_a_transfer_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(TransferError, match="refused"):
        client_of(port, impatient(2)).ask("GET", "/x")


@pytest.mark.parametrize("status", [b"401 No", b"403 No"])
def test_a_token_that_is_not_accepted_is_not_tried_again(status: bytes) -> None:
    answer = b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n"
    with (
        scripted([answer]) as (port, heard),
        closing(client_of(port, impatient(3))) as client,
        pytest.raises(TransferError, match="CIS490_TOKEN") as raised,
    ):
        client.ask("GET", "/x")
    assert len(heard) == 1
    assert "secret" not in str(raised.value)


def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    answer = b"HTTP/1.1 307 Go\r\nLocation: http://elsewhere/\r\nContent-Length: 0\r\n\r\n"
    with scripted([answer]) as (port, _), closing(client_of(port, impatient(1))) as client:
        assert client.ask("GET", "/x").status == 307


def test_the_pause_grows_and_has_an_end() -> None:
    pauses: list[float] = []
    patience = Patience(first_s=1, longest_s=10, chance=random.Random(0), sleep=pauses.append)
    for n_failed in range(8):
        patience.pause(n_failed)
    patience.pause(0, asked_s=1e9)
    assert all(0.5 * min(10, 2**n) <= pauses[n] <= min(10, 2**n) for n in range(8))
    assert pauses[8] == 10


@pytest.mark.parametrize(
    ("url", "host", "port", "path"),
    [
        ("https://lab.example", "lab.example", 443, ""),
        ("https://lab.example:8490/receiver/", "lab.example", 8490, "/receiver"),
        ("http://127.0.0.1:8490", "127.0.0.1", 8490, ""),
        ("http://[::1]:8490", "::1", 8490, ""),
        ("http://localhost", "localhost", 80, ""),
    ],
)
def test_an_address_is_read(url: str, host: str, port: int, path: str) -> None:
    found = Address.parse(url)
    assert (found.host, found.port, found.path) == (host, port, path)
    assert found.encrypted == url.startswith("https")


@pytest.mark.parametrize(
    "url", ["http://lab.example", "http://10.0.0.1:8490", "http://127.0.0.1.x"]
)
def test_a_token_does_not_cross_a_network_readably_unless_that_is_asked_for(url: str) -> None:
    with pytest.raises(ConfigurationError, match="plain-http"):
        Address.parse(url)
    assert not Address.parse(url, plain=True).encrypted


@pytest.mark.parametrize(
    "url",
    ["", "lab", "ftp://lab", "http://", "https://a:b@lab", "https://lab:x", "https://[", "/v1"],
)
def test_what_is_no_address_is_said_so(url: str) -> None:
    with pytest.raises(ConfigurationError, match="no address"):
        Address.parse(url)
