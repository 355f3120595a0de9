"""A receiver on a socket: slow, broken and hostile connections."""

import json
import socket
import time
from pathlib import Path

from cis490_pipeline.receiver.server import listen
from cis490_pipeline_tests.episodes.building import add_episode, episode_id
from cis490_pipeline_tests.receiver.doors import address, check_filed_once, half_received, rows_of
from cis490_pipeline_tests.receiver.living import Living, living, read_to_end


def head(served: Living, *headers: str, token: str | None = None) -> bytes:
    """Return the beginning of a PUT of the first episode."""
    lines = [
        f"PUT {address(0)} HTTP/1.1",
        "Host: receiver",
        f"Authorization: Bearer {token or served.host_token}",
        *headers,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def wait_for_rest(served: Living) -> None:
    """Wait until no body is being received."""
    deadline = time.monotonic() + 20
    while half_received(served.root) and time.monotonic() < deadline:
        time.sleep(0.01)


def test_an_answer_waits_for_no_acknowledgement() -> None:
    with (
        listen("127.0.0.1", 0) as listening,
        socket.create_connection(listening.getsockname(), timeout=20),
    ):
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_connection_without_a_request_is_ended(tmp_path: Path) -> None:
    with living(tmp_path, headers_s=0.2) as served:
        for beginning in (b"", b"PUT /v1/epis", b"GET /v1/health HTTP/1.1\r\nX-Slow: "):
            assert served.raw(beginning) == b""
        assert served.client().ask("GET", "/v1/health").status == 200


def test_a_byte_now_and_then_does_not_keep_a_connection(tmp_path: Path) -> None:
    with living(tmp_path, headers_s=0.3) as served:
        with socket.create_connection(("127.0.0.1", served.port), timeout=20) as connection:
            connection.sendall(b"GET /v1/health HTTP/1.1\r\n")
            ended = False
            for _ in range(200):
                try:
                    connection.sendall(b"X-A: b\r\n")
                except (BrokenPipeError, ConnectionResetError):
                    ended = True
                    break
                time.sleep(0.02)
        assert ended


def test_a_body_that_does_not_come_in_time_is_given_up(tmp_path: Path) -> None:
    with living(tmp_path, body_s=0.3, headers_s=0.1) as served:
        answer = served.raw(head(served, "Content-Length: 10") + b"half")
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b'"too-slow"' in answer
        assert b"connection: close" in answer.lower()
        assert half_received(served.root) == []
        assert rows_of(served.root) == []


def test_an_upload_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    with living(tmp_path) as served:
        for beginning in (
            head(served, "Content-Length: 600000") + b"x" * 500_000,
            head(served, "Transfer-Encoding: chunked") + b"5\r\nhello\r\n",
        ):
            with socket.create_connection(("127.0.0.1", served.port), timeout=20) as connection:
                connection.sendall(beginning)
        wait_for_rest(served)
        assert half_received(served.root) == []
        assert rows_of(served.root) == []
        assert served.client().ask("GET", "/v1/health").status == 200


def test_whoever_is_refused_cannot_go_on_sending(tmp_path: Path) -> None:
    with living(tmp_path, max_bytes=100) as served:
        for beginning, status in (
            (head(served, "Content-Length: 50", token="x" * 43), b"401"),
            (head(served, "Content-Length: 101"), b"413"),
            (head(served, "Transfer-Encoding: chunked") + b"65\r\n" + b"x" * 101, b"413"),
        ):
            answer = served.raw(beginning)
            assert answer.startswith(b"HTTP/1.1 " + status)
            assert b"connection: close" in answer.lower()


def test_beyond_the_uploads_at_the_same_time_one_is_asked_to_come_again(tmp_path: Path) -> None:
    with living(tmp_path, uploads=1) as served:
        with socket.create_connection(("127.0.0.1", served.port), timeout=20) as first:
            first.sendall(head(served, "Content-Length: 8", "Connection: close") + b"half")
            client = served.client()
            while json.loads(client.ask("GET", "/v1/health").content)["uploading"] == 0:
                time.sleep(0.01)
            busy = served.raw(head(served, "Content-Length: 4") + b"next")
            assert busy.startswith(b"HTTP/1.1 503 ")
            assert b"retry-after: 1" in busy.lower()
            client.close()
            first.sendall(b"half")
            assert read_to_end(first).startswith(b"HTTP/1.1 201 ")
        check_filed_once(served.root, 0, b"halfhalf")


def test_headers_without_end_are_not_collected(tmp_path: Path) -> None:
    with living(tmp_path) as served:
        answer = served.raw(b"GET /v1/health HTTP/1.1\r\nX: " + b"a" * 100_000)
        assert answer == b"" or answer.startswith(b"HTTP/1.1 400 ")


def test_hostile_requests_are_answered_or_hung_up_on(tmp_path: Path) -> None:
    with living(tmp_path, headers_s=0.3, body_s=0.3) as served:
        for data in (
            head(served, "Content-Length: 1", "Content-Length: 2") + b"xx",
            head(served, "Content-Length: 3", "Transfer-Encoding: chunked") + b"0\r\n\r\n",
            head(served, "Content-Length: -1"),
            head(served, "Transfer-Encoding: gzip, chunked") + b"0\r\n\r\n",
            head(served, "Transfer-Encoding: chunked") + b"fffffffffffffffff\r\n",
            b"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
            b"GET /v1/%ff%00 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        ):
            answer = served.raw(data)
            assert answer == b"" or answer[9:10] == b"4", data
        assert rows_of(served.root) == []
        assert served.client().ask("GET", "/v1/health").status == 200


def test_whoever_does_not_read_a_download_is_cut_off(tmp_path: Path) -> None:
    big = b"x" * (16 << 20)
    add_episode(tmp_path, "lab-a", episode_id(0), big)
    with living(tmp_path, body_s=0.5) as served:
        request = head(served).replace(b"PUT", b"GET", 1)
        with socket.create_connection(("127.0.0.1", served.port), timeout=20) as connection:
            connection.sendall(request)
            time.sleep(1.0)  # longer than a download may take
            assert len(read_to_end(connection)) < len(big)
