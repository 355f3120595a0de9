"""One hash for the code that a machine would run: workers with another one must not work.

It covers the package's own sources as they lie on the disk: modules, and the templates, styles and
schemas that they read. The same on every machine and in every checkout or installation; documents,
pictures and compiled files are no part of it. So it differs where a commit cannot: for files that
were changed and not committed, and for installations without a repository.

Not here: the libraries (their versions stand in every bundle).
"""

import hashlib
from pathlib import Path
from typing import Final

from cis490_pipeline.errors import ConfigurationError

_SUFFIXES: Final = frozenset({".py", ".j2", ".html", ".css", ".js", ".json"})


def package_root() -> Path:
    """Return the directory of the package that is running."""
    return Path(__file__).resolve().parents[1]


def code_fingerprint(root: Path) -> str:
    """Return the sha256 over names and contents of all sources below a directory.

    Notes
    -----
    The hash of lines ``<sha256>  <path>`` in the order of the paths, as ``sha256sum`` prints them,
    of contents with line endings of Unix: git may write others on Windows.

    Raises
    ------
    ConfigurationError
        Where there is no source to hash.
    """
    sources = {path.relative_to(root).as_posix(): path for path in _sources(root)}
    if not sources:
        raise ConfigurationError(
            "the package has no source files",
            where=str(root),
            expected="modules as .py files",
            todo="install the package from its sources or a wheel, unpacked",
        )
    lines = (f"{_content_hash(sources[name])}  {name}\n" for name in sorted(sources))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _sources(root: Path) -> list[Path]:
    return [p for p in root.rglob("*") if p.suffix in _SUFFIXES and p.is_file()]


def _content_hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes().replace(b"\r\n", b"\n")).hexdigest()
