"""How the C library's allocator treats the buffers of a run.

Every episode takes and frees the same megabytes. By default glibc gives such pieces back to the
system at once and gets them again, zeroed, page by page: a third of a visit where a fault is dear,
as in a virtual machine. Here freed memory is used again while a batch lasts, and goes back to the
system after it.

Not here: what a batch holds (``run``).
"""

import ctypes
import sys
from collections.abc import Callable
from typing import Final, cast

_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_LARGEST_REUSED_BYTES: Final = 32 << 20
"""The most that glibc takes; what a bomb unpacks to is larger, and goes back at once."""
_KEPT_BYTES: Final = 256 << 20


def _of_glibc(name: str) -> Callable[..., int] | None:
    """Return a function of glibc; None where the C library is another one."""
    if sys.platform != "linux":
        return None
    return cast("Callable[..., int] | None", getattr(ctypes.CDLL(None), name, None))


_MALLOPT: Final = _of_glibc("mallopt")
_TRIM: Final = _of_glibc("malloc_trim")


def reuse_freed_memory() -> None:
    """Keep what is freed for the next episode, for the rest of this process's life."""
    if _MALLOPT is not None:
        _MALLOPT(_M_MMAP_THRESHOLD, _LARGEST_REUSED_BYTES)
        _MALLOPT(_M_TRIM_THRESHOLD, _KEPT_BYTES)


def return_free_memory() -> None:
    """Give back the pages that nothing uses: grids and Parquet buffers leave holes in the heap.

    Without it the heap grew by a sixth in 600 episodes, and went on; it costs 1 to 2 ms.
    """
    if _TRIM is not None:
        _TRIM(0)
