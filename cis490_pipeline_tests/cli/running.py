"""Running ``cis490``: in this process where that is enough, as the installed program where not."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROGRAM = Path(sys.executable).with_name("cis490")


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """How a command ended."""

    status: int
    stdout: str
    stderr: str

    @property
    def result(self) -> dict[str, Any]:
        """The JSON object on the last line of standard output."""
        found = json.loads(self.stdout.splitlines()[-1])
        assert isinstance(found, dict)
        return found

    def must_succeed(self) -> "Done":
        assert self.status == 0, self.stdout + self.stderr
        return self

    def check_refusal(self, status: int, *words: str) -> None:
        """Assert that it ended so, with one sentence that holds the words, and no traceback."""
        assert self.status == status, self.stdout + self.stderr
        assert "Traceback" not in self.stdout + self.stderr
        sentence = self.stderr.strip().splitlines()[-1]
        for word in words:
            assert word in sentence


Call = Callable[..., Done]


def installed(*words: object, cwd: Path, **variables: str) -> Done:
    """Run the installed program in a directory, with nothing of ours in its environment."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("CIS490_", "DAGSTER_"))}
    done = subprocess.run(
        [str(PROGRAM), *map(str, words)],
        cwd=cwd,
        env={**kept, "DAGSTER_DISABLE_TELEMETRY": "1", **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return Done(status=done.returncode, stdout=done.stdout, stderr=done.stderr)
