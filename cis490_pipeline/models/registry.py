"""Where bundles live, which job identity each one answers, and how often a job was tried.

::

    <root>/<sha256>/                        bundles and pre-trained trunks, content-addressed
    <root>/by-identity/<identity>.json      job identity -> bundle, written by conditional create
    <root>/attempts/<identity>/<n>.json     one file for every attempt that has not succeeded
    <root>/locks/<identity>.lock            held while the job runs: never two at once

An attempt is counted before it starts, so that a fit that kills its process is counted as well; the
file goes away when the fit succeeds or is cancelled.

Not here: the bundle format (``bundle``), what an identity is made of (``training.identity``).
"""

import contextlib
import re
import shutil
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from cis490_pipeline.edge.header import HEADER_FILE, BundleHeader
from cis490_pipeline.errors import (
    AttemptsExhaustedError,
    BundleError,
    SchemaMismatchError,
    TrainingCancelledError,
    WarehouseError,
)
from cis490_pipeline.models.bundle import (
    AnyHeader,
    pack_bundle,
    read_files,
    read_header,
    read_trunk_header,
)
from cis490_pipeline.warehouse.atomic import create_exclusive, write_bytes, write_directory
from cis490_pipeline.warehouse.locks import held_alone

MOST_ATTEMPTS: Final = 3
_HEX: Final = re.compile(r"[0-9a-f]{4,64}")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


class _Entry(msgspec.Struct, frozen=True):
    bundle: str
    seconds: float | None = None


ReadHeader = Callable[[Path], tuple[str, AnyHeader]]


class _Attempt(msgspec.Struct, frozen=True):
    state: str


def _is_sound(directory: Path, read: ReadHeader) -> bool:
    try:
        _, header = read(directory)
        read_files(directory, header)
    except (BundleError, SchemaMismatchError):
        return False
    return True


@dataclass(frozen=True, slots=True)
class ModelRegistry:
    """The bundles below one directory."""

    root: Path

    def save(
        self, header: AnyHeader, weights: Mapping[str, bytes], *, seconds: float | None = None
    ) -> str:
        """Store a bundle and enter it for its identity; return the bundle that now answers it.

        Where another run was faster with a sound bundle for the same identity, that one stands.

        Parameters
        ----------
        seconds
            What the job took; kept beside the bundle, since equal fits have equal bundles.
        """
        read = read_header if isinstance(header, BundleHeader) else read_trunk_header
        address, files = pack_bundle(header, weights)
        directory = self.root / address
        if not write_directory(directory, files) and not _is_sound(directory, read):
            shutil.rmtree(directory, ignore_errors=True)
            write_directory(directory, files)
        entry = msgspec.json.encode(_Entry(bundle=address, seconds=seconds))
        path = self._entry_path(header.identity)
        if not create_exclusive(path, entry):
            standing = self.by_identity(header.identity, read)
            if standing is not None:
                return standing
            write_bytes(path, entry)
        return address

    def by_identity(self, identity: str, read: ReadHeader = read_header) -> str | None:
        """Return the bundle that answers a job identity.

        None where there is none, and where the entry or its bundle is gone or damaged: then the job
        has to run again, and its result replaces the entry.

        Parameters
        ----------
        read
            Reads the header of the kind of bundle that is looked for.
        """
        entry = self._entry(identity)
        if entry is None or not _SHA256.fullmatch(entry.bundle):
            return None
        return entry.bundle if _is_sound(self.root / entry.bundle, read) else None

    def seconds_of(self, identity: str) -> float | None:
        """Return what the job of an identity took; None where nobody knows."""
        entry = self._entry(identity)
        return None if entry is None else entry.seconds

    def find(self, reference: Path | str) -> Path:
        """Return the directory of a bundle: itself, its sha256, or an unambiguous prefix.

        Raises
        ------
        WarehouseError
            Where nothing or more than one bundle answers to the reference.
        """
        given = Path(reference)
        if (given / HEADER_FILE).is_file():
            return given
        prefix = str(reference)
        found = self._with_prefix(prefix) if _HEX.fullmatch(prefix) else []
        if len(found) != 1:
            raise WarehouseError(
                "more than one such bundle" if found else "no such bundle",
                where=str(self.root),
                expected="a bundle's directory, its sha256, or at least 4 digits of it",
                found=", ".join(path.name[:16] for path in found) or prefix,
                todo="give more digits" if found else "train the model, or correct the reference",
            )
        return found[0]

    def alone(self, identity: str) -> contextlib.AbstractContextManager[None]:
        """Run a job for this process alone; waits for another one that is at it.

        The step of a run that was killed may still be fitting when the run is tried again. Who has
        waited looks for the bundle once more: it may stand now.
        """
        return held_alone(self.root / "locks" / f"{identity}.lock")

    @contextlib.contextmanager
    def attempt(self, identity: str) -> Generator[None]:
        """Count one attempt at a job for the time of the block.

        It stays counted where the block fails or the process dies in it. Cancelling, an interrupt
        or an exit of the process by its owner is nobody's failure and is not counted.

        Raises
        ------
        AttemptsExhaustedError
            Where ``MOST_ATTEMPTS`` have failed already; says which files to delete.
        """
        path = self._begin(identity)
        try:
            yield
        except BaseException as error:
            if isinstance(error, TrainingCancelledError) or not isinstance(error, Exception):
                path.unlink(missing_ok=True)
            else:
                state = f"failed: {type(error).__name__}: {error}"[:2000]
                write_bytes(path, msgspec.json.encode(_Attempt(state=state)))
            raise
        shutil.rmtree(path.parent, ignore_errors=True)

    def attempts(self, identity: str) -> tuple[Path, ...]:
        """Return the files of the attempts that count against an identity, oldest first."""
        directory = self.root / "attempts" / identity
        return tuple(
            path
            for path in (directory / f"{n}.json" for n in range(1, MOST_ATTEMPTS + 1))
            if path.is_file()
        )

    def _begin(self, identity: str) -> Path:
        directory = self.root / "attempts" / identity
        for number in range(1, MOST_ATTEMPTS + 1):
            path = directory / f"{number}.json"
            state = _Attempt(state="started, and neither failed, succeeded nor was cancelled")
            if create_exclusive(path, msgspec.json.encode(state)):
                return path
        raise AttemptsExhaustedError(
            f"{MOST_ATTEMPTS} attempts at this job have failed",
            where=str(directory),
            found=self._last_words(directory),
            todo=f"remove the cause, then delete {directory} (or a file in it) to try again",
        )

    @staticmethod
    def _last_words(directory: Path) -> str:
        path = directory / f"{MOST_ATTEMPTS}.json"
        try:
            return msgspec.json.decode(path.read_bytes(), type=_Attempt).state
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return "unknown"

    def _entry(self, identity: str) -> _Entry | None:
        try:
            return msgspec.json.decode(self._entry_path(identity).read_bytes(), type=_Entry)
        except (FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError):
            return None

    def _entry_path(self, identity: str) -> Path:
        return self.root / "by-identity" / f"{identity}.json"

    def _with_prefix(self, prefix: str) -> list[Path]:
        candidates = sorted(self.root.glob(f"{prefix}*"))
        return [path for path in candidates if _SHA256.fullmatch(path.name) and path.is_dir()]
