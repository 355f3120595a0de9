"""Where in a manifest something is wrong, in every refusal: file, host or job, key.

Not here: the rules (``manifest_file``, ``manifest_jobs``).
"""

import contextlib
import re
from collections.abc import Generator, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import msgspec

from cis490_pipeline.episodes.printable import excerpt
from cis490_pipeline.errors import ConfigurationError
from cis490_pipeline.models.catalog import family

_PATH: Final = re.compile(r" - at `\$?\.?(?P<path>.*)`$", re.S)
_FIELD: Final = re.compile(r"(?:unknown|required) field `(?P<name>[^`]*)`")
_LONGEST: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestPlace:
    """A file, and the entry in it that is being read (empty: the file as a whole)."""

    file: str
    entry: str = ""

    def at(self, entry: str) -> "ManifestPlace":
        """Return the place of one entry."""
        return replace(self, entry=entry)

    def refused(
        self,
        what: str,
        *,
        key: str = "",
        expected: str = "",
        found: str = "",
        todo: str = "correct the manifest; what was loaded before still stands",
    ) -> ConfigurationError:
        """Return the refusal; what comes from the file is made safe to print."""
        where = ": ".join(part for part in (self.entry, key) if part)
        return ConfigurationError(
            what,
            where=f"{self.file}: {_printable(where)}" if where else self.file,
            expected=expected,
            found=_printable(found),
            todo=todo,
        )

    @contextlib.contextmanager
    def converting(self, keys: Sequence[str]) -> Generator[None]:
        """Say of a wrong type, range or name which key it is; ``keys`` are those that exist."""
        try:
            yield
        except msgspec.ValidationError as error:
            message = str(error)
            path, field = _PATH.search(message), _FIELD.search(message)
            key = ".".join(
                part for part in (path and path["path"], field and field["name"]) if part
            )
            raise self.refused(
                "the manifest has a key that cannot be used",
                key=key,
                expected=f"the right values, of {', '.join(keys)}",
                found=_PATH.sub("", message),
            ) from error

    @contextlib.contextmanager
    def under(self, key: str) -> Generator[None]:
        """Add file, entry and key to what another part of the library refuses."""
        try:
            yield
        except ConfigurationError as error:
            raise self.refused(
                error.what,
                key=key,
                expected=error.expected,
                found=error.found or error.where,
                todo=error.todo,
            ) from error

    def require_distinct(self, key: str, values: Sequence[Hashable]) -> None:
        """Refuse a list that names something twice.

        Raises
        ------
        ConfigurationError
            Naming it.
        """
        twice = [one for one in dict.fromkeys(values) if values.count(one) > 1]
        if twice:
            raise self.refused(
                "the list names something twice", key=key, found=", ".join(map(str, twice))
            )

    def require_families(self, key: str, names: Sequence[str]) -> None:
        """Refuse a name that no family has.

        Raises
        ------
        ConfigurationError
            Listing the names that there are.
        """
        for name in names:
            with self.under(key):
                family(name)


def _printable(text: str) -> str:
    return excerpt(text.encode("utf-8", "backslashreplace"), limit=_LONGEST)
