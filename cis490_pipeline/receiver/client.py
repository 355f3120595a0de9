"""Speaking to a receiver with the standard library: one connection, patience, no redirects.

A fault of the network, and an answer that says *later*, are tried again with growing, random
pauses. The token goes to the address that was named and to no other: redirects and proxies are not
followed, and an unencrypted connection to another machine has to be asked for.

Not here: what is asked (``shipping``, ``pulling``).
"""

import http.client
import ipaddress
import json
import random
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import IO, Final, Self
from urllib.parse import urlsplit

from cis490_pipeline.errors import ConfigurationError, TransferError

_BLOCK_BYTES: Final = 1 << 18
_MOST_BYTES: Final = 16 << 20
"""Of an answer that is held in memory; a page of the index has a quarter of a megabyte."""
_LATER: Final = frozenset({408, 429, 500, 502, 503, 504, 507})
_FAULTS: Final = (OSError, http.client.HTTPException)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How often and after what pauses something is tried again.

    The pause before the n-th repetition is random between half of and all of
    ``first_s`` · 2ⁿ, at most ``longest_s``, and never shorter than the server asked for.
    """

    attempts: int = 8
    first_s: float = 0.5
    longest_s: float = 60.0
    chance: random.Random = field(default_factory=random.SystemRandom)
    sleep: Callable[[float], None] = time.sleep

    def pause(self, n_failed: int, asked_s: float = 0.0) -> None:
        """Wait before the next attempt."""
        most = min(self.longest_s, self.first_s * 2.0**n_failed)
        self.sleep(max(most * self.chance.uniform(0.5, 1.0), min(asked_s, self.longest_s)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a receiver is; ``path`` is what stands before ``/v1``."""

    encrypted: bool
    host: str
    port: int
    path: str

    @classmethod
    def parse(cls, url: str, *, plain: bool = False) -> Self:
        """Read a URL.

        Parameters
        ----------
        plain
            An unencrypted connection to another machine is wanted (inside a VPN, for one).

        Raises
        ------
        ConfigurationError
            Where it is none of a receiver, or the token would cross a network readably.
        """
        with suppress(ValueError):
            parts = urlsplit(url)
            port = parts.port or (443 if parts.scheme == "https" else 80)
            if parts.scheme in ("http", "https") and parts.hostname and not parts.username:
                encrypted = parts.scheme == "https"
                if not encrypted and not plain and not _is_loopback(parts.hostname):
                    raise _readable(url)
                path = parts.path.rstrip("/")
                return cls(encrypted=encrypted, host=parts.hostname, port=port, path=path)
        raise ConfigurationError(
            "this is no address of a receiver",
            found=url,
            expected="https://HOST[:PORT], or http:// on this machine",
            todo="give the address that `cis490 receive` printed",
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _readable(url: str) -> ConfigurationError:
    return ConfigurationError(
        "the token would cross the network readably",
        found=url,
        expected="https://",
        todo="put a certificate before the receiver, or say --plain-http inside a VPN",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back; header names in lower case, ``content`` empty where it was streamed."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def etag(self) -> str:
        """The sha256 that the server names, without quotes."""
        return self.headers.get("etag", "").strip('"')

    @property
    def reason(self) -> str:
        """What the receiver says of a refusal."""
        with suppress(ValueError, KeyError, TypeError):
            found = json.loads(self.content)
            return f"{self.status} {found['error']}: {found['reason']}"
        return f"{self.status} {http.client.responses.get(self.status, '')}".strip()


class Client:
    """One connection to a receiver, opened when it is needed."""

    def __init__(
        self, address: Address, token: str, patience: Patience | None = None, timeout_s: float = 60
    ) -> None:
        self._address = address
        self._token = token
        self._patience = patience or Patience()
        self._timeout_s = timeout_s
        self._connection: http.client.HTTPConnection | None = None

    def close(self) -> None:
        """End the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: Callable[[], IO[bytes]] | None = None,
    ) -> Answer:
        """Send a request until it is answered, and answered with anything but *later*.

        Parameters
        ----------
        body
            Opens what is sent, for each attempt anew.

        Raises
        ------
        TransferError
            Where patience ends, or the token is not accepted.
        """

        def attempt() -> Answer:
            with self.answered(method, path, headers, body) as answer:
                content = answer.read(_MOST_BYTES)
                if answer.length:  # it broke off, or is more than anybody asked for
                    raise http.client.IncompleteRead(content, answer.length)
                return Answer(status=answer.status, headers=headers_of(answer), content=content)

        return self.patiently(attempt, path)

    def patiently(self, attempt: Callable[[], Answer], path: str) -> Answer:
        """Repeat an attempt; it may raise what the network and the server do wrong.

        Raises
        ------
        TransferError
            Where patience ends, or the token is not accepted.
        """
        fault = ""
        for n_failed in range(self._patience.attempts):
            asked_s = 0.0
            try:
                answer = attempt()
            except _FAULTS as error:
                self.close()
                fault = str(error) or type(error).__name__
            else:
                if answer.status in (401, 403):
                    raise self._refused(path, answer.reason)
                if answer.status not in _LATER:
                    return answer
                self.close()
                fault, asked_s = answer.reason, _seconds(answer.headers.get("retry-after"))
            if n_failed + 1 < self._patience.attempts:
                self._patience.pause(n_failed, asked_s)
        raise self._lost(path, fault)

    @contextmanager
    def answered(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: Callable[[], IO[bytes]] | None = None,
    ) -> Generator[http.client.HTTPResponse]:
        """Send a request once; its answer can be read inside the block.

        Raises
        ------
        OSError, http.client.HTTPException
            Of the network.
        """
        connection = self._connected()
        sent = {"Authorization": f"Bearer {self._token}", **(headers or {})}
        content = None if body is None else body()
        try:
            with suppress(BrokenPipeError, ConnectionResetError):
                # Refused before all of it was sent: the answer is there, and says why.
                connection.request(method, self._address.path + path, content, sent)
            answer = connection.getresponse()
            yield answer
        except BaseException:
            self.close()
            raise
        finally:
            if content is not None:
                content.close()
        if not answer.isclosed():
            self.close()

    def _connected(self) -> http.client.HTTPConnection:
        if self._connection is None:
            kind = (
                http.client.HTTPSConnection
                if self._address.encrypted
                else http.client.HTTPConnection
            )
            self._connection = kind(
                self._address.host,
                self._address.port,
                timeout=self._timeout_s,
                blocksize=_BLOCK_BYTES,
            )
        return self._connection

    def _refused(self, path: str, reason: str) -> TransferError:
        return TransferError(
            "the receiver does not accept the token",
            where=self._named(path),
            found=reason,
            todo="set CIS490_TOKEN to what `cis490 receive --add-token` (--add-reader) printed",
        )

    def _lost(self, path: str, fault: str) -> TransferError:
        return TransferError(
            f"the receiver did not answer in {self._patience.attempts} attempts",
            where=self._named(path),
            found=fault,
            todo="run the same command again: it goes on with what is left",
        )

    def _named(self, path: str) -> str:
        return f"{self._address.host}:{self._address.port}{self._address.path}{path}"


def headers_of(answer: http.client.HTTPResponse) -> dict[str, str]:
    """Return an answer's headers, their names in lower case."""
    return {name.lower(): value for name, value in answer.getheaders()}


def _seconds(text: str | None) -> float:
    return float(text) if text is not None and text.isdecimal() and len(text) < 7 else 0.0
