"""The fingerprint follows what the code says and nothing else of its files."""

import hashlib
import os
import shutil
from pathlib import Path

import pytest

from cis490_pipeline.errors import ConfigurationError
from cis490_pipeline.workers.code_fingerprint import code_fingerprint, package_root

SOURCES = {"__init__.py": b"", "a.py": b"x = 1\ny = 2\n", "pages/page.html.j2": b"<p>\n</p>\n"}


def package(root: Path, contents: dict[str, bytes]) -> Path:
    for name, content in contents.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


@pytest.fixture
def here(tmp_path: Path) -> Path:
    return package(tmp_path / "here", SOURCES)


@pytest.fixture
def before(here: Path) -> str:
    return code_fingerprint(here)


@pytest.mark.parametrize("name", ["a.py", "pages/page.html.j2"])
def test_one_changed_byte_changes_it(here: Path, before: str, name: str) -> None:
    content = SOURCES[name]
    (here / name).write_bytes(content[:2] + bytes([content[2] ^ 1]) + content[3:])
    assert code_fingerprint(here) != before


def test_one_more_one_less_and_another_name_change_it(here: Path, before: str) -> None:
    seen = {before}
    (here / "b.py").write_bytes(b"")
    seen.add(code_fingerprint(here))
    (here / "b.py").rename(here / "c.py")
    seen.add(code_fingerprint(here))
    (here / "c.py").unlink()
    assert code_fingerprint(here) == before
    (here / "a.py").unlink()
    seen.add(code_fingerprint(here))
    assert len(seen) == 4


def test_content_does_not_move_between_files_unseen(here: Path, before: str) -> None:
    (here / "__init__.py").write_bytes(SOURCES["a.py"])
    (here / "a.py").write_bytes(b"")
    assert code_fingerprint(here) != before


def test_times_and_rights_do_not_matter(here: Path, before: str) -> None:
    os.utime(here / "a.py", (0, 0))
    (here / "a.py").chmod(0o600)
    assert code_fingerprint(here) == before


def test_line_endings_of_windows_do_not_matter(here: Path, before: str) -> None:
    for name, content in SOURCES.items():
        (here / name).write_bytes(content.replace(b"\n", b"\r\n"))
    assert code_fingerprint(here) == before


def test_compiled_files_documents_and_pictures_do_not_matter(here: Path, before: str) -> None:
    package(here, {"__pycache__/a.cpython-311.pyc": b"1", "README.md": b"2", "p/icon.svg": b"3"})
    assert code_fingerprint(here) == before


def test_another_checkout_has_the_same(here: Path, before: str, tmp_path: Path) -> None:
    elsewhere = tmp_path / "somewhere" / "else"
    shutil.copytree(here, elsewhere)
    assert code_fingerprint(elsewhere) == before


def test_anybody_can_compute_it(here: Path, before: str) -> None:
    lines = [f"{hashlib.sha256(SOURCES[name]).hexdigest()}  {name}\n" for name in sorted(SOURCES)]
    assert before == hashlib.sha256("".join(lines).encode()).hexdigest()


def test_the_package_that_is_running_has_one() -> None:
    root = package_root()
    assert (root / "workers" / "code_fingerprint.py").is_file()
    assert len(code_fingerprint(root)) == 64


def test_a_package_without_sources_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no source files") as caught:
        code_fingerprint(package(tmp_path, {"a.pyc": b"1"}))
    assert caught.value.where == str(tmp_path)
