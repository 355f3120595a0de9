"""An opened episode as frozen values.

Not here: reading the tarball (``archive``), decoding its members (``decode``).
Source: episode format, section *Inside the tarball*.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.schema.channels import Source

JsonScalar: TypeAlias = str | int | float | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """One row of ``labels.jsonl``: it opens a phase that lasts until the next row.

    ``phase`` and ``prev`` keep what stands in the file, even where it is not a string: the gate
    quotes them. ``t_mono_ns`` is None where it is absent, null or not an integer.
    """

    t_wall_ns: int
    t_mono_ns: int | None
    phase: JsonScalar
    prev: JsonScalar


@dataclass(frozen=True, slots=True, kw_only=True)
class EpisodeMeta:
    """What ``meta.json`` says; None where a key is absent, null or of another type.

    ``schema_version`` keeps whatever scalar stands there, so that the gate can quote it.
    ``declared_rows`` has the ``rows_*`` counts that are present.
    """

    schema_version: JsonScalar
    profile: str | None
    sample_name: str | None
    sample_kind: str | None
    duration_observed_s: float | None
    declared_rows: dict[Source, int]
    phases_observed: tuple[JsonScalar, ...]
    code_commit: str | None
    code_dirty: bool | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Telemetry:
    """The rows of one source, in file order.

    Attributes
    ----------
    t_wall_ns
        int64 ``[n_rows]``, Unix nanoseconds; the only clock that aligns sources.
    values
        float64 ``[n_rows, n_channels of the source]``, NaN = missing. Raw values as they stand in
        the file: counters are still cumulative.
    """

    t_wall_ns: NDArray[np.int64]
    values: NDArray[np.float64]

    @property
    def n_rows(self) -> int:
        """Rows of the file, damaged values included."""
        return int(self.t_wall_ns.shape[0])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Episode:
    """All that the pipeline uses of one tarball.

    ``present`` has the base names of the expected files that the archive holds; ``meta`` is None
    where ``meta.json`` is absent; ``telemetry`` has an entry for every source (zero rows where the
    file is absent).
    """

    present: frozenset[str]
    has_pcap: bool
    meta: EpisodeMeta | None
    labels: tuple[Label, ...]
    telemetry: dict[Source, Telemetry]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenFailure:
    """Why a tarball cannot be opened; a value, because it is a fault of the data.

    Rendered by the gate as ``open-failed:<kind>:<message>``.
    """

    kind: str
    message: str
