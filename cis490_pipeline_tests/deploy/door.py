"""The shipped nginx configuration, run for real on loopback with a certificate of its own."""

import base64
import contextlib
import http.client
import os
import shutil
import socket
import ssl
import subprocess
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from cis490_pipeline_tests.end_to_end.conftest import wait_until

REPOSITORY: Final = Path(__file__).resolve().parents[2]
NGINX: Final = REPOSITORY / "deploy" / "nginx"
NAME: Final = "cis490.example.org"
USERS: Final = {"viewers": ("vera", "seen"), "operators": ("otto", "done")}

_MAIN = """daemon off; master_process off; pid {here}/nginx.pid; error_log {here}/error.log warn;
events {{}}
http {{
  access_log off; include /etc/nginx/mime.types; default_type application/octet-stream;
  client_body_temp_path {here}/body; proxy_temp_path {here}/proxy;
  fastcgi_temp_path {here}/fastcgi; uwsgi_temp_path {here}/uwsgi; scgi_temp_path {here}/scgi;
  include {here}/cis490.conf;
}}
"""


def program(name: str) -> str:
    """Return a program of the system; without it CI fails and a workstation skips."""
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if found is None:
        missing = f"{name} is not installed; apt-get install nginx-light openssl"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer of a door."""

    status: int
    headers: Mapping[str, str]
    all_headers: list[tuple[str, str]]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """One of the two doors, and who belongs there."""

    port: int
    user: tuple[str, str]
    authority: Path

    @property
    def host(self) -> str:
        return f"{NAME}:{self.port}"

    @property
    def origin(self) -> str:
        return f"https://{self.host}"

    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.authority))

    def login(self, user: tuple[str, str] | None = None) -> dict[str, str]:
        coded = base64.b64encode(":".join(user or self.user).encode()).decode()
        return {"Authorization": f"Basic {coded}"}

    def connect(self, *, sni: str = NAME, trust: ssl.SSLContext | None = None) -> ssl.SSLSocket:
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        try:
            return (trust or self.trust()).wrap_socket(plain, server_hostname=sni)
        except BaseException:
            plain.close()
            raise

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        user: tuple[str, str] | None = None,
        anonymous: bool = False,
        **headers: str,
    ) -> Answer:
        """Send one request; ``Content_Type`` is the header Content-Type."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        known = {} if anonymous else self.login(user)
        connection = http.client.HTTPSConnection(NAME, self.port, timeout=60)
        connection.sock = self.connect()
        with contextlib.closing(connection):
            connection.request(method, path, body, {"Host": self.host, **known, **named})
            answer = connection.getresponse()
            text = answer.read().decode("utf-8", "replace")
        return Answer(
            status=answer.status,
            headers={name.lower(): value for name, value in answer.getheaders()},
            all_headers=answer.getheaders(),
            text=text,
        )

    def post(self, query: str, **headers: str) -> Answer:
        """Ask GraphQL as the UI does; ``query`` is the whole JSON body."""
        given = {"Content_Type": "application/json", "Origin": self.origin, **headers}
        return self.ask("POST", "/graphql", query.encode(), **given)


def make_authority(here: Path) -> Path:
    """Make a throw-away authority, and the doors' certificate signed by it."""
    openssl = program("openssl")
    new = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    ends = ["-noenc", "-days", "2"]
    authority = ["-subj", "/CN=a throw-away authority", "-keyout", "ca.key", "-out", "ca.pem"]
    door = ["-subj", "/CN=door", "-addext", f"subjectAltName=DNS:{NAME}"]
    not_an_authority = ["-addext", "basicConstraints=critical,CA:FALSE"]
    signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-keyout", "door.key", "-out", "door.pem"]
    for command in ([*new, *ends, *authority], [*new, *ends, *door, *not_an_authority, *signed]):
        subprocess.run(command, cwd=here, check=True, capture_output=True, timeout=60)
    return here / "ca.pem"


def replaced(text: str, places: Mapping[str, str]) -> str:
    """Put a test's places into a shipped file; each of them must occur there."""
    for shipped, ours in places.items():
        assert shipped in text, shipped
        text = text.replace(shipped, ours)
    return text


def write_configuration(here: Path, ports: Mapping[str, int], data: Path) -> None:
    """Write what ``deploy/nginx`` ships, with other places and nothing else changed."""
    for group, (name, password) in USERS.items():
        hashed = subprocess.run(
            [program("openssl"), "passwd", "-6", password],
            check=True, capture_output=True, text=True, timeout=60,
        ).stdout  # fmt: skip
        (here / group).write_text(f"{name}:{hashed}", encoding="utf-8")
    site = {
        "listen 443 ": f"listen 127.0.0.1:{ports['viewers']} ",
        "listen 8443 ": f"listen 127.0.0.1:{ports['operators']} ",
        "127.0.0.1:3001": f"127.0.0.1:{ports['read-only']}",
        "127.0.0.1:3000": f"127.0.0.1:{ports['full']}",
        "/etc/nginx/cis490/": f"{here}/",
        "snippets/": f"{here}/",
    }
    snippet = {
        "/etc/nginx/cis490/": f"{here}/",
        "root /srv/cis490;": f"root {data};",
        "127.0.0.1:8491": f"127.0.0.1:{ports['live']}",
    }
    for name, places in (("cis490.conf", site), ("cis490-door.conf", snippet)):
        text = replaced((NGINX / name).read_text("utf-8"), places)
        (here / name).write_text(text, encoding="utf-8")
    (here / "nginx.conf").write_text(_MAIN.format(here=here), encoding="utf-8")


@contextlib.contextmanager
def doors(
    here: Path, data: Path, *, full: int, read_only: int, live: int = 1
) -> Generator[tuple[Door, Door]]:
    """Run nginx before two webservers and a hub; yield the viewers' door and the operators'."""
    nginx, authority = program("nginx"), make_authority(here)
    ours = {"viewers": free_port(), "operators": free_port()}
    ports = {**ours, "full": full, "read-only": read_only, "live": live}
    write_configuration(here, ports, data)
    command = [nginx, "-c", str(here / "nginx.conf"), "-p", str(here), "-e", f"{here}/error.log"]
    with (here / "nginx.out").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            made = [
                Door(port=ports[group], user=USERS[group], authority=authority)
                for group in ("viewers", "operators")
            ]
            _until_open(server, made[1], here)
            yield made[0], made[1]
        finally:
            server.terminate()
            server.wait(timeout=30)


def _until_open(server: subprocess.Popen[bytes], door: Door, here: Path) -> None:
    def is_open() -> bool:
        assert server.poll() is None, (here / "nginx.out").read_text("utf-8")
        with contextlib.suppress(OSError), door.connect():
            return True
        return False

    wait_until(is_open, seconds=30, what="the door opens")
