"""A store is a pure function of its configuration, and appears whole or not at all."""

import hashlib
import json
import multiprocessing
from pathlib import Path

import pytest
from click.testing import CliRunner

from cis490_pipeline.cli.synth import command
from cis490_pipeline.errors import ConfigurationError, StoreError
from cis490_pipeline.synthetic.config import SynthConfig
from cis490_pipeline.synthetic.store import INDEX_FILE, MANIFEST_FILE, write_store

SMALL = SynthConfig(hosts={"a": 14, "b": 9}, seconds=4.0, seed=7, damage=0.5)


def content(root: Path) -> dict[str, str]:
    """Hash of every file, and the directories."""
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        if path.is_file()
        else "directory"
        for path in sorted(root.rglob("*"))
    }


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("once") / "store"
    write_store(root, SMALL)
    return root


def test_same_seed_gives_the_same_bytes(written: Path, tmp_path: Path) -> None:
    write_store(tmp_path, SMALL)
    assert content(tmp_path) == content(written)


def test_bytes_do_not_depend_on_the_number_of_processes(written: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    write_store(tmp_path, SMALL, workers=2, progress=lambda done, total: seen.append((done, total)))
    assert content(tmp_path) == content(written)
    assert seen[-1] == (23, 23)
    assert multiprocessing.active_children() == []


def test_another_seed_gives_other_episodes(written: Path, tmp_path: Path) -> None:
    write_store(tmp_path, SynthConfig(hosts={"a": 14, "b": 9}, seconds=4.0, seed=8, damage=0.5))
    both = content(tmp_path).keys() & content(written).keys()
    assert {name for name in both if name.endswith(".zst")} == set()


def test_a_host_does_not_depend_on_how_many_episodes_another_has(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    write_store(one, SynthConfig(hosts={"a": 4, "b": 2}, seconds=3.0))
    write_store(two, SynthConfig(hosts={"a": 4, "b": 5}, seconds=3.0))
    assert content(one / "episodes" / "a") == content(two / "episodes" / "a")


def test_the_report_counts_what_is_on_disk(tmp_path: Path) -> None:
    report = write_store(tmp_path, SynthConfig(hosts={"a": 5, "b": 3}, seconds=3.0))
    tarballs = list(tmp_path.glob("episodes/*/*.tar.zst"))
    assert report.episodes == len(tarballs) == 8
    assert report.compressed_bytes == sum(path.stat().st_size for path in tarballs)
    assert report.raw_bytes > report.compressed_bytes
    assert (report.planted, report.index_damage) == ({}, {})
    manifest = json.loads((tmp_path / MANIFEST_FILE).read_text())
    assert manifest["compressed_bytes"] == report.compressed_bytes
    assert set(manifest["expected"]) == {path.name[:26] for path in tarballs}


@pytest.mark.parametrize("held", [INDEX_FILE, "episodes"])
def test_a_store_is_never_written_over(tmp_path: Path, held: str) -> None:
    (tmp_path / held).mkdir()
    with pytest.raises(StoreError, match=f"never written over.*{held}"):
        write_store(tmp_path, SMALL)
    assert [path.name for path in tmp_path.iterdir()] == [held]


def test_without_room_for_the_episodes_no_index_appears(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(StoreError, match=r"episodes/[ab]/.*No space left"):
        write_store(tmp_path, SMALL)
    assert not (tmp_path / INDEX_FILE).exists()


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"hosts": {}}, "hosts"),
        ({"hosts": {"../up": 1}}, "hosts"),
        ({"hosts": {"a": -1, "b": 2}}, "hosts"),
        ({"seconds": 0.5}, "seconds"),
        ({"seconds": float("nan")}, "seconds"),
        ({"seed": -1}, "seed"),
        ({"damage": 1.5}, "damage"),
        ({"controls": -0.1}, "controls"),
    ],
)
def test_an_impossible_configuration_is_refused(changes: dict[str, object], named: str) -> None:
    with pytest.raises(ConfigurationError, match=f"where: {named}"):
        SynthConfig(**{"hosts": {"a": 1}, **changes})


def test_the_command_ends_with_its_figures(tmp_path: Path) -> None:
    words = ["--hosts", "a=3,b=2", "--seconds", "3", "--damage", "0.4", "--threads", "1", "--json"]
    result = CliRunner().invoke(command, [str(tmp_path / "s"), *words], catch_exceptions=False)
    assert result.exit_code == 0
    figures = json.loads(result.stdout.splitlines()[-1])
    assert set(figures) == {"episodes", "raw_bytes", "compressed_bytes"}
    assert figures["episodes"] == 5


@pytest.mark.parametrize("hosts", ["a", "a=x", "a=1,a=2", "=3", "a=-1"])
def test_hosts_that_cannot_be_read_are_wrong_usage(tmp_path: Path, hosts: str) -> None:
    result = CliRunner().invoke(command, [str(tmp_path / "s"), "--hosts", hosts])
    assert result.exit_code != 0
    assert not (tmp_path / "s").exists()
