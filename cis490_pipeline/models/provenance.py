"""Which code and which libraries made an artifact.

Not here: writing it down (``header``, the test ledger).
"""

import importlib.metadata
import os
import subprocess
from functools import cache
from pathlib import Path
from typing import Final

LIBRARIES: Final = ("numpy", "torch", "xgboost", "scikit-learn", "pyarrow")
_ENVIRONMENT: Final = "CIS490_CODE_COMMIT"


@cache
def code_commit() -> str:
    """Return the commit of this code, with ``+dirty`` where files were changed since.

    ``CIS490_CODE_COMMIT`` names it where the package was installed without its repository; empty
    where neither says.
    """
    named = os.environ.get(_ENVIRONMENT, "")
    if named:
        return named
    commit = _git("rev-parse", "HEAD")
    if not commit:
        return ""
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", "cis490_pipeline")
    return f"{commit}+dirty" if changed else commit


def _git(*words: str) -> str:
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():  # else git would answer for some directory further up
        return ""
    try:
        done = subprocess.run(  # noqa: S603 - fixed words, no shell
            ["git", "-C", str(root), *words],  # noqa: S607 - whichever git is on the PATH
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


@cache
def library_versions() -> dict[str, str]:
    """Return library → version, for those that are installed."""
    found: dict[str, str] = {}
    for name in LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
