"""The header of a model bundle: what was fitted, on what, and how its files hash.

It travels inside exported files too, and says there all that a device must know of the model.

Not here: the files (``models.bundle``), where bundles live (``models.registry``), the header of a
pre-trained trunk (``models.trunk_header``).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Protocol, TypeVar

import msgspec

from cis490_pipeline.edge.alarm import AlarmRule
from cis490_pipeline.edge.phase_filter import PhaseFilter
from cis490_pipeline.errors import BundleError
from cis490_pipeline.schema.channels import Mode
from cis490_pipeline.schema.context import Context
from cis490_pipeline.schema.fingerprint import FeatureSchema, require_schema, schema_from_json

FORMAT_VERSION: Final = 5
HEADER_FILE: Final = "header.json"
LARGEST_HEADER_BYTES: Final = 1 << 20
LARGEST_FILE_BYTES: Final = 2 << 30

Scalar = int | float | str | bool | None

_PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

Sha256 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFacts:
    """What a file of the bundle must be."""

    sha256: Sha256
    bytes: Annotated[int, msgspec.Meta(ge=0, le=LARGEST_FILE_BYTES)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Applied to every prediction, after the phase filter where there is one.

    ``softmax(log p / temperature)``; a temperature of 1 changes nothing.
    """

    temperature: Annotated[float, msgspec.Meta(gt=0, le=1e3)]


@dataclass(frozen=True, slots=True, kw_only=True)
class HistorySummary:
    """How the fit went, without clock times: equal fits have equal headers.

    A round is one evaluation of a network, one boosting round, or 1 for a fit in one call.
    """

    rounds: int
    best_round: int
    steps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One combination that a search over hyper-parameters has tried; each is a job of its own.

    ``hyper_parameters`` are those in which it differs from the family's defaults.
    ``id_val_macro_f1`` is that of the whole model, phase filter included. ``seconds`` is what the
    run that finished it took, None where nobody knows any more: the one clock time in a header, so
    that two searches of one identity have equal weights but no equal names.
    """

    identity: Sha256
    hyper_parameters: Mapping[str, Scalar]
    id_val_macro_f1: float | None
    rounds: int
    best_round: int
    seconds: float | None
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleHeader:
    """Everything that one must know to use a model, and to say where it comes from.

    ``n_channels`` counts summary columns for a summary family (with one timepoint), and is 0 where
    no channel is seen; ``n_columns`` counts those that a family reads beside the raw channels.
    ``phase_filter`` is None where the model goes without. ``id_val_macro_f1`` is None where it is
    undefined. ``code_commit`` is empty outside a repository. ``trunk`` is the bundle of the
    pre-trained trunk that the fit began from, None where it began from nothing. ``search`` lists
    what was tried, in the declared order; it is empty where nothing was searched.
    """

    format_version: int
    family: str
    mode: Mode
    context: Context
    hyper_parameters: Mapping[str, Scalar]
    split: str
    training_set_hash: str
    training_ids_hash: str
    statuses: tuple[str, ...]
    seed: int
    labels: tuple[str, ...]
    identity: Sha256
    phase_filter: PhaseFilter | None
    calibration: Calibration
    alarm: AlarmRule
    schema: FeatureSchema
    schema_fingerprint: Sha256
    n_channels: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
    n_timepoints: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
    n_columns: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
    library_versions: Mapping[str, str]
    code_commit: str
    id_val_macro_f1: float | None
    history: HistorySummary
    trunk: Sha256 | None
    search: tuple[Trial, ...]
    files: Mapping[str, FileFacts]


def encode_header(header: object) -> bytes:
    """Return the canonical JSON of a header of either kind: equal headers have equal bytes."""
    return msgspec.json.encode(header, order="deterministic")


def header_refusal(what: str, where: str, *, expected: str = "", found: str = "") -> BundleError:
    """Return the error of a header that cannot be used."""
    return BundleError(
        what,
        where=where,
        expected=expected,
        found=found,
        todo="train the model again, or fetch the bundle again from where it was made",
    )


class SchemaBound(Protocol):
    """What a header of either kind says of the data that it was made for."""

    @property
    def schema(self) -> FeatureSchema:
        """The feature schema."""
        ...

    @property
    def schema_fingerprint(self) -> str:
        """Its hash."""
        ...


Header = TypeVar("Header", bound=SchemaBound)


def decode_as(
    kind: type[Header],
    data: bytes,
    *,
    version: int | str,
    where: str,
    schema: FeatureSchema | None = None,
) -> Header:
    """Return a header of one kind that is in canonical form and of this schema.

    Raises
    ------
    SchemaMismatchError, BundleError
        As ``decode_header``.
    """
    raw = _header_object(data, where)
    if raw.get("format_version") != version:
        raise header_refusal(
            "foreign format version",
            where,
            expected=str(version),
            found=ascii(raw.get("format_version"))[:80],
        )
    require_schema(schema_from_json(raw.get("schema"), where=where), where=where, ours=schema)
    try:
        header = msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        raise header_refusal("header has other fields", where, found=str(error)) from error
    # One canonical form: no surplus field, no doubled key, no other spacing.
    if encode_header(header) != data:
        raise header_refusal("header is not in canonical form", where)
    if header.schema_fingerprint != header.schema.fingerprint:
        raise header_refusal("fingerprint is not that of the schema", where)
    return header


def _header_object(data: bytes, where: str) -> dict[str, object]:
    if len(data) > LARGEST_HEADER_BYTES:
        raise header_refusal(
            "header too large",
            where,
            expected=f"at most {LARGEST_HEADER_BYTES} bytes",
            found=str(len(data)),
        )
    try:
        return msgspec.json.decode(data, type=dict[str, object])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise header_refusal("header is not a JSON object", where, found=str(error)) from error


def _require_consistent(header: BundleHeader, where: str) -> None:
    if len(header.labels) < 2 or len(set(header.labels)) != len(header.labels):
        raise header_refusal("labels are not distinct classes", where, found=str(header.labels))
    if header.phase_filter is not None and header.phase_filter.n_classes != len(header.labels):
        raise header_refusal(
            "phase filter of other classes", where, expected=f"{len(header.labels)}"
        )
    for name in header.files:
        if not _PLAIN_NAME.fullmatch(name) or name == HEADER_FILE:
            raise header_refusal(
                "file name that is not a plain name", where, found=ascii(name)[:80]
            )


def decode_header(data: bytes, *, where: str, schema: FeatureSchema | None = None) -> BundleHeader:
    """Return the header of a bundle, refusing everything that this version did not write.

    Parameters
    ----------
    data
        Content of ``header.json``.
    schema
        What the bundle must have been made for; None is this code's own.

    Raises
    ------
    SchemaMismatchError
        Where it was made for another schema, naming the first difference.
    BundleError
        For everything else.
    """
    header = decode_as(BundleHeader, data, version=FORMAT_VERSION, where=where, schema=schema)
    _require_consistent(header, where)
    return header
