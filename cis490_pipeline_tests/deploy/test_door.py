"""Who gets through nginx to a real webserver, with what, and what is refused."""

import contextlib
import http.client
import http.server
import json
import socket
import ssl
import threading
from collections.abc import Generator, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from cis490_pipeline_tests.deploy.conftest import SECRET_PAGE, Lab
from cis490_pipeline_tests.deploy.door import NAME, USERS, Door, doors

pytestmark = pytest.mark.end_to_end

_SENSOR = (
    '{repositoryName: "__repository__", repositoryLocationName: "cis490_pipeline", '
    'sensorName: "reconcile"}'
)
START = f"mutation {{ startSensor(sensorSelector: {_SENSOR}) {{ __typename }} }}"
STATE = f"""{{ sensorOrError(sensorSelector: {_SENSOR}) {{ ... on Sensor {{
    sensorState {{ id selectorId status }} }} }} }}"""
STOP = """mutation($id: String!) { stopSensor(id: $id) { __typename } }"""
VERSION = json.dumps({"query": "{ version }"})
REPORTING = ("materialization", "check", "observation")


@pytest.fixture(params=["viewers", "operators"])
def door(lab: Lab, request: pytest.FixtureRequest) -> Door:
    return getattr(lab, request.param)


def is_running(lab: Lab) -> bool:
    return lab.full.ask(STATE)["sensorOrError"]["sensorState"]["status"] == "RUNNING"


@pytest.fixture
def stopped(lab: Lab) -> Iterator[Lab]:
    """A sensor that stands still before and after."""
    assert not is_running(lab)
    yield lab
    if is_running(lab):
        state = lab.full.ask(STATE)["sensorOrError"]["sensorState"]
        lab.full.ask(STOP, id=state["id"])
    assert not is_running(lab)


def websocket(door: Door, origin: str | None, **login: str) -> ClientConnection:
    return connect(
        f"wss://{door.host}/graphql",
        ssl=door.trust(),
        server_hostname=NAME,
        origin=origin,
        subprotocols=[Subprotocol("graphql-ws")],
        additional_headers=login or door.login(),
        sock=socket.create_connection(("127.0.0.1", door.port), timeout=60),
        proxy=None,
        open_timeout=60,
    )


def test_both_doors_show_the_ui_and_answer_questions(door: Door) -> None:
    page = door.ask("GET", "/")
    assert page.status == 200
    assert "Dagster" in page.text
    assert door.ask("GET", "/asset-groups").status == 200
    answer = door.post(VERSION)
    assert answer.status == 200
    assert json.loads(answer.text)["data"]["version"]


@pytest.mark.parametrize("path", ["/", "/server_info", "/logs/x/out", "/reports/"])
def test_nothing_is_shown_without_a_password(door: Door, path: str) -> None:
    assert door.ask("GET", path, anonymous=True).status == 401
    assert door.ask("GET", path, user=(door.user[0], "wrong")).status == 401


def test_graphql_needs_a_password(door: Door) -> None:
    assert door.ask("POST", "/graphql", VERSION.encode(), anonymous=True,
                    Content_Type="application/json").status == 401  # fmt: skip


def test_nobody_comes_through_the_other_group_s_door(lab: Lab) -> None:
    assert lab.operators.ask("GET", "/", user=USERS["viewers"]).status == 401
    assert lab.viewers.ask("GET", "/", user=USERS["operators"]).status == 401


def test_an_operator_starts_a_sensor(stopped: Lab) -> None:
    answer = stopped.operators.post(json.dumps({"query": START}))
    assert json.loads(answer.text)["data"]["startSensor"]["__typename"] == "Sensor"
    assert is_running(stopped)


def test_a_viewer_starts_nothing(stopped: Lab) -> None:
    answer = stopped.viewers.post(json.dumps({"query": START}))
    assert json.loads(answer.text)["data"]["startSensor"]["__typename"] == "UnauthorizedError"
    assert not is_running(stopped)


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_a_mutation_in_the_address_is_refused(stopped: Lab, method: str) -> None:
    door = stopped.operators
    path = f"/graphql?query={quote(START)}"
    kinds = [{}, {"Content_Type": "application/json"}, {"Upgrade": "websocket"}]
    for headers in kinds:
        assert door.ask(method, path, **headers).status in {403, 405}
    for spelled in ("/%67raphql", "//graphql", "/x/../graphql"):
        assert door.ask(method, f"{spelled}?query={quote(START)}").status in {403, 405}
    assert not is_running(stopped)


def test_an_address_may_name_the_operation_and_nothing_else(stopped: Lab) -> None:
    door, body = stopped.operators, VERSION.encode()
    kind = {"Content_Type": "application/json"}
    assert door.ask("POST", "/graphql?op=SomeQuery", body, **kind).status == 200
    for query in (f"op=x&query={quote(START)}", f"query={quote(START)}&op=x", "op=", "op=a%20b"):
        assert door.ask("POST", f"/graphql?{query}", b"", **kind).status == 405
    upgrade = {"Upgrade": "websocket", "Origin": door.origin}
    assert door.ask("GET", "/graphql?op=SomeQuery", **upgrade).status == 405
    assert not is_running(stopped)


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "application/graphql", ""]
)
def test_what_a_form_of_another_site_can_send_is_refused(stopped: Lab, kind: str) -> None:
    headers = {"Content_Type": kind} if kind else {}
    assert stopped.operators.ask("POST", "/graphql", START.encode(), **headers).status == 405
    assert not is_running(stopped)


@pytest.mark.parametrize(
    "origin", ["https://evil.example", f"https://{NAME}", f"https://{NAME}.evil.example", "null"]
)
def test_a_page_of_another_origin_is_refused(stopped: Lab, origin: str) -> None:
    door = stopped.operators
    assert door.post(json.dumps({"query": START}), Origin=origin).status == 403
    assert door.post(json.dumps({"query": START}), Origin=f"http://{door.host}").status == 403
    assert not is_running(stopped)


def test_a_command_that_names_no_origin_is_served(door: Door) -> None:
    answer = door.ask("POST", "/graphql", VERSION.encode(), Content_Type="application/json")
    assert answer.status == 200


def test_a_foreign_name_is_refused(door: Door) -> None:
    with pytest.raises(ssl.SSLError, match=r"(?i)unrecognized.name"):
        door.connect(sni="evil.example")
    answer = door.ask("GET", "/", Host=f"evil.example:{door.port}")
    assert answer.status == 421


def test_plain_http_is_refused_and_the_certificate_is_the_authority_s(door: Door) -> None:
    plain = http.client.HTTPConnection("127.0.0.1", door.port, timeout=30)
    plain.request("GET", "/", headers={"Host": door.host, **door.login()})
    assert plain.getresponse().status == 400
    plain.close()
    with pytest.raises(ssl.SSLError, match=r"(?i)self.signed|unable to get"):
        door.connect(trust=ssl.create_default_context())


@pytest.mark.parametrize(
    ("version", "served"), [("TLSv1_1", False), ("TLSv1_2", True), ("TLSv1_3", True)]
)
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
def test_tls_is_1_2_or_1_3(door: Door, version: str, served: bool) -> None:
    trust = door.trust()
    trust.set_ciphers("DEFAULT@SECLEVEL=0")  # else this side would refuse first
    trust.minimum_version = trust.maximum_version = ssl.TLSVersion[version]
    if served:
        with door.connect(trust=trust) as through:
            assert through.version() == version.replace("_", ".")
    else:
        with pytest.raises(ssl.SSLError, match=r"(?i)protocol|alert"):
            door.connect(trust=trust)


@pytest.mark.parametrize("what", REPORTING)
def test_nobody_reports_an_asset(door: Door, what: str) -> None:
    for method in ("POST", "GET"):
        for path in (f"/report_asset_{what}/data_card", f"/%72eport_asset_{what}/data_card"):
            assert door.ask(method, path, b"{}", Content_Type="application/json").status == 404


@pytest.mark.parametrize(
    "path", ["/download_debug/x", "/notebook?path=x.ipynb", "/dagit_info", "/dagit/notebook"]
)
def test_what_dumps_whole_runs_is_closed(door: Door, path: str) -> None:
    assert door.ask("GET", path).status == 404


@pytest.mark.parametrize("path", ["/", "/logs/x", "/a-route-of-tomorrow", "/graphql/"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_but_graphql_takes_anything(door: Door, method: str, path: str) -> None:
    assert door.ask(method, path, b"{}", Content_Type="application/json").status == 403


def test_a_large_request_is_refused_and_a_large_configuration_is_not(door: Door) -> None:
    def asked(size: int) -> int:
        return door.post(
            json.dumps({"query": "{ version }", "variables": {"x": "x" * size}})
        ).status

    assert asked(400_000) == 200
    assert asked(600_000) == 413


def test_every_answer_forbids_frames_sniffing_and_plain_http(door: Door) -> None:
    answers = [door.ask("GET", "/"), door.post(VERSION), door.ask("GET", "/reports/"),
               door.ask("GET", "/", anonymous=True)]  # fmt: skip
    for answer in answers:
        names = [name.lower() for name, _ in answer.all_headers]
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert names.count("x-content-type-options") == 1
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        policies = [v for n, v in answer.all_headers if n.lower() == "content-security-policy"]
        assert any("frame-ancestors 'none'" in policy for policy in policies)
        assert answer.headers["server"] == "nginx"


def test_the_ui_keeps_the_policy_that_it_brings(door: Door) -> None:
    page = door.ask("GET", "/")
    policies = [v for n, v in page.all_headers if n.lower() == "content-security-policy"]
    assert any("script-src 'nonce-" in policy for policy in policies)


def test_reports_are_pages_that_can_do_nothing(door: Door) -> None:
    page = door.ask("GET", "/reports/host=lab-b/report.html")
    assert page.status == 200
    assert page.text == SECRET_PAGE
    assert page.headers["content-type"] == "text/html"
    policy = page.headers["content-security-policy"]
    assert "sandbox;" in policy
    assert "default-src 'none'" in policy
    assert "host=lab-b/" in door.ask("GET", "/reports/").text
    for path in ("/reports/../dagster/dagster.yaml", "/dagster/dagster.yaml"):
        assert "run_monitoring" not in door.ask("GET", path).text


def test_a_subscription_passes_for_a_page_of_the_door(door: Door) -> None:
    with websocket(door, door.origin) as socket:
        socket.send(json.dumps({"type": "connection_init", "payload": {}}))
        assert json.loads(socket.recv(30)) == {"type": "connection_ack"}
        query = "subscription { locationStateChangeEvents { event { message } } }"
        socket.send(json.dumps({"type": "start", "id": "1", "payload": {"query": query}}))
        socket.send(json.dumps({"type": "start", "id": "2", "payload": {"query": "nonsense"}}))
        answer = json.loads(socket.recv(30))  # the first waits for news, the second is told off
        assert (answer["id"], answer["type"]) == ("2", "error")


def test_a_socket_executes_no_mutation(stopped: Lab) -> None:
    door = stopped.operators
    with websocket(door, door.origin) as socket:
        socket.send(json.dumps({"type": "connection_init", "payload": {}}))
        socket.recv(30)
        socket.send(json.dumps({"type": "start", "id": "1", "payload": {"query": START}}))
        assert json.loads(socket.recv(30))["type"] == "error"
    assert not is_running(stopped)


@pytest.mark.parametrize("origin", ["https://evil.example", f"https://{NAME}", None])
def test_a_socket_of_another_page_is_refused(door: Door, origin: str | None) -> None:
    with pytest.raises(InvalidStatus) as refused:
        websocket(door, origin)
    assert refused.value.response.status_code == 403


def test_a_socket_needs_a_password(door: Door) -> None:
    with pytest.raises(InvalidStatus) as refused:
        websocket(door, door.origin, Authorization="Basic eDp5")
    assert refused.value.response.status_code == 401


def test_a_password_stays_at_the_door(tmp_path: Path) -> None:
    with recorder() as (port, heard), doors(tmp_path, tmp_path, full=port, read_only=port) as both:
        for door in both:
            assert door.ask("GET", "/").status == 200
            assert door.post(VERSION).status == 200
    assert len(heard) == 4
    assert {headers["version"] for headers in heard} == {"HTTP/1.1"}  # WebSockets need it
    assert not any("Authorization" in headers for headers in heard)


@contextlib.contextmanager
def recorder() -> Generator[tuple[int, list[dict[str, str]]]]:
    """Stand where a webserver would, and note the headers of every request."""
    heard: list[dict[str, str]] = []

    class Note(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append({**self.headers, "version": self.request_version})
            self.send_response(200)
            self.end_headers()

        do_POST = do_GET

        def log_request(self, code: object = "-", size: object = "-") -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Note) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port, heard
        finally:
            server.shutdown()
            thread.join()


def test_a_webserver_hears_on_loopback_alone(lab: Lab) -> None:
    for port in lab.webserver_ports:
        assert listening(port) == {"127.0.0.1"}


def listening(port: int) -> set[str]:
    """Return the IPv4 addresses on which something listens at a port, as the kernel tells."""
    found = set[str]()
    for family in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{family}").read_text("ascii").splitlines()[1:]:
            local, state = line.split()[1], line.split()[3]
            address, _, hexadecimal = local.partition(":")
            if int(hexadecimal, 16) == port and state == "0A":
                octets = bytes.fromhex(address)[::-1]
                found.add(".".join(map(str, octets)) if family == "tcp" else address)
    return found
