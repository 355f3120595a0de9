"""One Delta commit: tried again where another writer was faster, a plain error where it cannot be.

Not here: what is committed (``tables``, ``maintenance``).
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

import pyarrow as pa
from deltalake.exceptions import CommitFailedError, DeltaError

from cis490_pipeline.errors import WarehouseError

_TRIES: Final = 8
_FIRST_WAIT_S: Final = 0.05

Result = TypeVar("Result")


def committed(path: Path, attempt: Callable[[], Result]) -> Result:
    """Run one attempt to commit to the table at ``path`` until it is the one that wins.

    Parameters
    ----------
    attempt
        Opens the table, decides what to write, commits; called again from the start where another
        host's run committed in between, so that it never writes over what it has not seen.

    Raises
    ------
    WarehouseError
        Where the machine refuses, or other writers were faster eight times.
    """
    for number in range(_TRIES):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            return attempt()
        except CommitFailedError as error:
            if number == _TRIES - 1:
                raise _commit_error(path, error) from error
            time.sleep(_FIRST_WAIT_S * 2**number)
        except (DeltaError, OSError, pa.ArrowException) as error:
            raise _commit_error(path, error) from error
    raise AssertionError("the last try returns or raises")


def _commit_error(path: Path, error: Exception) -> WarehouseError:
    return WarehouseError(
        "cannot commit to the table",
        where=str(path),
        found=f"{type(error).__name__}: {error}",
        todo="check free space and permissions, then run again: this commit was not kept, and "
        "what an interrupted batch left in other tables is replaced by the next run",
    )
