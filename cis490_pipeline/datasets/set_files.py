"""Set files as bytes: strict JSON of one frozen dataclass.

Not here: what the two kinds of set mean (``training_sets``, ``test_sets``).
"""

from pathlib import Path
from typing import TypeVar

import msgspec

from cis490_pipeline.errors import WarehouseError
from cis490_pipeline.schema.fingerprint import current_schema
from cis490_pipeline.warehouse.atomic import write_bytes

SetT = TypeVar("SetT")


def write_set(path: Path, value: object) -> None:
    """Write a set file atomically, as JSON that a person can read."""
    write_bytes(path, msgspec.json.format(msgspec.json.encode(value), indent=1))


def read_set(path: Path, kind: type[SetT], *, asset: str) -> SetT:
    """Read a set file.

    Raises
    ------
    WarehouseError
        Where it is absent or not of that kind; names the asset to materialize.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except FileNotFoundError as error:
        raise WarehouseError(
            "the split has no set file yet",
            where=str(path),
            todo=f"materialize {asset}, or run `cis490 train` and `cis490 evaluate`, first",
        ) from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise WarehouseError(
            "the set file is damaged or of another version",
            where=str(path),
            found=str(error),
            todo=f"materialize {asset} again",
        ) from error


def require_fingerprint(fingerprint: str, path: Path, *, asset: str) -> None:
    """Refuse a set that was planned for tables of another feature schema.

    Raises
    ------
    WarehouseError
        Where the fingerprints differ.
    """
    here = current_schema().fingerprint
    if fingerprint != here:
        raise WarehouseError(
            "the set was planned for another feature schema",
            where=str(path),
            expected=here[:12],
            found=fingerprint[:12],
            todo=f"ingest again with this version, then materialize {asset}",
        )
