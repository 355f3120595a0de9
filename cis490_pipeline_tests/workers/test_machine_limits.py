"""Cores and memory are those that the process may use, of both versions of control groups."""

from pathlib import Path

import pytest

from cis490_pipeline.workers.machine_limits import LimitFiles, usable_cores, usable_ram_bytes
from cis490_pipeline_tests.workers.building import limit_files

MEMINFO = "MemTotal:       16000000 kB\nMemFree:         1000 kB\n"
TOTAL = 16_000_000 * 1024


def test_without_a_limit_it_is_the_machine(tmp_path: Path) -> None:
    files = limit_files(tmp_path, {"proc/meminfo": MEMINFO, "proc/cgroup": "0::/\n"})
    assert usable_cores(files, 8) == 8
    assert usable_ram_bytes(files) == TOTAL


def test_a_container_of_v2_has_what_its_group_allows(tmp_path: Path) -> None:
    files = limit_files(
        tmp_path,
        {
            "proc/meminfo": MEMINFO,
            "proc/cgroup": "0::/\n",
            "group/cpu.max": "250000 100000\n",
            "group/memory.max": "4294967296\n",
        },
    )
    assert usable_cores(files, 8) == 3
    assert usable_cores(files, 2) == 2
    assert usable_ram_bytes(files) == 4 << 30


def test_a_unit_is_bound_by_its_slice_too(tmp_path: Path) -> None:
    files = limit_files(
        tmp_path,
        {
            "proc/meminfo": MEMINFO,
            "proc/cgroup": "0::/lab.slice/worker.service\n",
            "group/lab.slice/memory.max": "1073741824\n",
            "group/lab.slice/cpu.max": "100000 100000\n",
            "group/lab.slice/worker.service/memory.max": "2147483648\n",
            "group/lab.slice/worker.service/cpu.max": "max 100000\n",
            "group/other.slice/memory.max": "1000\n",
        },
    )
    assert usable_ram_bytes(files) == 1 << 30
    assert usable_cores(files, 8) == 1


def test_a_group_of_v1_is_read_from_its_controllers(tmp_path: Path) -> None:
    files = limit_files(
        tmp_path,
        {
            "proc/meminfo": MEMINFO,
            "proc/cgroup": "5:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n0::/\n",
            # as in a container: its own directory is the root of what is mounted
            "group/memory/memory.limit_in_bytes": "3221225472\n",
            "group/cpu/cpu.cfs_quota_us": "200000\n",
            "group/cpu/cpu.cfs_period_us": "100000\n",
        },
    )
    assert usable_ram_bytes(files) == 3 << 30
    assert usable_cores(files, 8) == 2


def test_no_quota_and_the_largest_number_of_v1_are_no_limit(tmp_path: Path) -> None:
    files = limit_files(
        tmp_path,
        {
            "proc/meminfo": MEMINFO,
            "proc/cgroup": "5:memory:/\n3:cpu:/\n",
            "group/memory/memory.limit_in_bytes": "9223372036854771712\n",
            "group/cpu/cpu.cfs_quota_us": "-1\n",
            "group/cpu/cpu.cfs_period_us": "100000\n",
        },
    )
    assert usable_ram_bytes(files) == TOTAL
    assert usable_cores(files, 8) == 8


def test_a_share_of_one_core_is_one_core(tmp_path: Path) -> None:
    contents = {"proc/cgroup": "0::/\n", "group/cpu.max": "10000 100000\n"}
    assert usable_cores(limit_files(tmp_path, contents), 8) == 1


def test_what_nobody_tells_is_missing_and_not_zero(tmp_path: Path) -> None:
    nothing = LimitFiles(
        own_groups=tmp_path / "a", meminfo=tmp_path / "b", group_root=tmp_path / "c"
    )
    assert usable_ram_bytes(nothing) is None
    assert usable_cores(nothing, None) is None
    assert usable_cores(nothing, 8) == 8


def test_a_limit_without_a_total_is_no_amount(tmp_path: Path) -> None:
    contents = {"proc/cgroup": "0::/\n", "group/memory.max": "9000000000000\n"}
    assert usable_ram_bytes(limit_files(tmp_path, contents)) is None


@pytest.mark.parametrize("text", ["", "max", "many", "0", "-5", "1 2 3", "\x00", "9" * 40])
def test_a_limit_that_is_no_number_is_no_limit(tmp_path: Path, text: str) -> None:
    files = limit_files(
        tmp_path,
        {
            "proc/meminfo": MEMINFO,
            "proc/cgroup": "0::/\nnot a line\n7:\n",
            "group/memory.max": text,
            "group/cpu.max": text,
        },
    )
    assert usable_ram_bytes(files) == TOTAL
    assert usable_cores(files, 8) == 8


def test_a_group_outside_of_the_namespace_ends_at_what_is_mounted(tmp_path: Path) -> None:
    files = limit_files(
        tmp_path,
        {
            "proc/meminfo": MEMINFO,
            "proc/cgroup": "0::/../../elsewhere\n",
            "group/memory.max": "1048576\n",
            "elsewhere/memory.max": "1\n",
        },
    )
    assert usable_ram_bytes(files) == 1 << 20
