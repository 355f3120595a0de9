"""How many cores and how much memory this process may use: control groups of Linux, v1 and v2.

A container or a systemd unit often has less than the machine, and a fit that counts the machine's
memory is killed in it. A limit of any group above the process holds too. Elsewhere than on Linux
there are no such files, and what nobody can tell is None.

Not here: CUDA devices (``torch_devices``).

Source: kernel documentation, *Control Group v2* (``cpu.max``, ``memory.max``) and
*cgroup-v1* (``cpu.cfs_quota_us``, ``memory.limit_in_bytes``).
"""

import math
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

_MEM_TOTAL: Final = re.compile(r"^MemTotal:\s+([0-9]+) kB$", re.M)
_WHOLE: Final = re.compile(r"[0-9]{1,20}")


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitFiles:
    """Where Linux tells what a process may use."""

    own_groups: Path = Path("/proc/self/cgroup")
    meminfo: Path = Path("/proc/meminfo")
    group_root: Path = Path("/sys/fs/cgroup")


def schedulable_cores() -> int | None:
    """Return on how many cores this process may be scheduled; None where nobody tells."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count()


def usable_cores(files: LimitFiles, schedulable: int | None) -> int | None:
    """Return the schedulable cores, or fewer where a quota of time allows no more.

    Notes
    -----
    A quota of 1.5 cores is two: the second thread still helps half of the time.
    """
    if schedulable is None:
        return None
    quotas = [math.ceil(quota) for quota in _cpu_quotas(files)]
    return max(1, min([schedulable, *quotas]))


def usable_ram_bytes(files: LimitFiles) -> int | None:
    """Return the machine's memory, or less where a control group allows no more.

    None where not even the machine's is known: a limit alone may be far above it.
    """
    total = _total_ram_bytes(files.meminfo)
    return None if total is None else min([total, *_memory_limits(files)])


def _total_ram_bytes(meminfo: Path) -> int | None:
    found = _MEM_TOTAL.search(_text(meminfo))
    return int(found[1]) * 1024 if found else None


def _cpu_quotas(files: LimitFiles) -> Iterator[float]:
    """Yield the cores' worth of time that each group allows."""
    for directory in _groups(files, "cpu"):
        v2 = _text(directory / "cpu.max").split()
        v1 = [_text(directory / f"cpu.cfs_{part}_us") for part in ("quota", "period")]
        for quota, period in (v for v in (v2, v1) if len(v) == 2):
            of, each = _whole(quota), _whole(period)
            if of and each:
                yield of / each


def _memory_limits(files: LimitFiles) -> Iterator[int]:
    for directory in _groups(files, "memory"):
        for name in ("memory.max", "memory.limit_in_bytes"):
            limit = _whole(_text(directory / name))
            if limit:
                yield limit


def _groups(files: LimitFiles, controller: str) -> Iterator[Path]:
    """Yield the directories of the process's groups, v1 and v2, and of all groups above them.

    In a container the path is often that of the host, while only the group's own directory is
    mounted, at the root: the walk up ends there.
    """
    for line in _text(files.own_groups).splitlines():
        _, _, rest = line.partition(":")
        names, _, path = rest.partition(":")
        if names and controller not in names.split(","):
            continue
        directory = files.group_root / controller if names else files.group_root
        yield directory
        for part in PurePosixPath(path).parts[1:]:
            if part == "..":  # a group outside of this namespace
                break
            directory /= part
            yield directory


def _whole(text: str) -> int | None:
    """Return a number that limits; None for ``max``, for -1 and for what is no number."""
    return int(text.strip()) if _WHOLE.fullmatch(text.strip()) else None


def _text(path: Path) -> str:
    """Return a file's text, empty where it is not there or not ours to read."""
    try:
        return path.read_text("utf-8", errors="replace")
    except OSError:
        return ""
