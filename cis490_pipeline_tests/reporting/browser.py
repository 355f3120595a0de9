"""A headless Chromium for the tests of pages, driven over its own protocol.

Everything that the page says to the console, every exception and every request is kept.
"""

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Generator
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.request import urlopen

import pytest
from websockets.sync.client import ClientConnection, connect

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--remote-debugging-port=0",
)
_PATIENCE_S = 60.0


class Browser:
    """One page. Use it in a ``with`` block: the process ends with it."""

    def __init__(self, executable: str, *flags: str) -> None:
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self._home = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self._process = subprocess.Popen(
            [executable, *FLAGS, *flags, f"--user-data-dir={self._home.name}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._stack = contextlib.ExitStack()
        self._count = 0
        self._loaded = False
        try:
            self._socket = self._connect()
            for domain in ("Page", "Runtime", "Log", "Network"):
                self.call(f"{domain}.enable")
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "Browser":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        self._stack.close()
        self._process.terminate()
        self._process.wait(_PATIENCE_S)
        self._home.cleanup()

    def _connect(self) -> ClientConnection:
        found = Path(self._home.name) / "DevToolsActivePort"
        deadline = time.monotonic() + _PATIENCE_S
        while not (found.is_file() and found.read_text().count("\n") >= 1):
            assert self._process.poll() is None, "Chromium ended at once"
            assert time.monotonic() < deadline, "Chromium does not answer"
            time.sleep(0.05)
        port = found.read_text().splitlines()[0]
        with urlopen(f"http://127.0.0.1:{port}/json") as answer:
            pages = [one for one in json.load(answer) if one["type"] == "page"]
        socket = connect(pages[0]["webSocketDebuggerUrl"], max_size=1 << 28)
        return self._stack.enter_context(socket)

    def call(self, method: str, **parameters: object) -> dict:
        """Send a command and return its result."""
        self._count += 1
        command = {"id": self._count, "method": method, "params": parameters}
        self._socket.send(json.dumps(command))
        while True:
            message = json.loads(self._socket.recv(_PATIENCE_S))
            if message.get("id") == self._count:
                assert "error" not in message, message
                return message["result"]
            self._hear(message)

    def _hear(self, message: dict) -> None:
        name, told = message.get("method"), message.get("params", {})
        if name in {"Runtime.exceptionThrown", "Log.entryAdded", "Runtime.consoleAPICalled"}:
            self.complaints.append(json.dumps(told)[:500])
        if name == "Network.requestWillBeSent":
            self.requests.append(told["request"]["url"])
        if name == "Page.loadEventFired":
            self._loaded = True

    def open(self, path: Path, *, width: int = 1280, height: int = 900) -> None:
        """Open a file and wait until it is loaded."""
        self.visit(path.as_uri(), width=width, height=height)

    def visit(self, url: str, *, width: int = 1280, height: int = 900) -> None:
        """Open an address and wait until it is loaded."""
        self._loaded = False
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        self.call("Page.navigate", url=url)
        deadline = time.monotonic() + _PATIENCE_S
        while not self._loaded:
            assert time.monotonic() < deadline, "the page does not load"
            with contextlib.suppress(TimeoutError):
                self._hear(json.loads(self._socket.recv(1.0)))

    def run(self, expression: str) -> Any:
        """Evaluate an expression in the page; a promise is awaited."""
        found = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def wait(self, expression: str) -> Any:
        """Evaluate until it is true; return what it is then."""
        deadline = time.monotonic() + _PATIENCE_S
        while not (found := self.run(expression)):
            assert time.monotonic() < deadline, f"never: {expression}\n{self.complaints}"
            time.sleep(0.05)
        return found

    def press(self, key: str) -> None:
        """Press and release a key, as a person at the keyboard would."""
        text = {"text": "\r" if key == "Enter" else key} if len(key) == 1 or key == "Enter" else {}
        code = {"Enter": 13, "Tab": 9}.get(key) or ord(key.upper())
        for kind in ("keyDown", "keyUp"):
            self.call(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                code=key,
                windowsVirtualKeyCode=code,
                **text,
            )


def chromium_path() -> str:
    """Return the program; where there is none tests are skipped, but fail in CI."""
    executable = shutil.which("chromium") or shutil.which("chromium-browser")
    if executable is None:
        missing = "no chromium on this machine: apt-get install chromium"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    return executable


@contextlib.contextmanager
def chromium() -> Generator[Browser]:
    """Return a browser; where none is installed tests are skipped, but fail in CI."""
    with Browser(chromium_path()) as browser:
        yield browser
