"""A model bundle: a directory of plain files that is named by the hash of its header.

::

    <sha256 of header.json>/
        header.json        canonical JSON; names every other file with its size and sha256
        weights.*          safetensors, XGBoost UBJ or JSON; never a pickle

So the name vouches for everything inside, and equal fits have equal names. What a bundle says is
not trusted all the same: sizes are bounded before anything is read, names are plain, tensors and
trees are checked against the network and the columns that the header describes, and nothing is
ever executed.

Not here: the header's fields (``header``), where bundles live (``registry``).
"""

import hashlib
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from cis490_pipeline.edge.header import (
    HEADER_FILE,
    LARGEST_HEADER_BYTES,
    BundleHeader,
    FileFacts,
    decode_header,
    encode_header,
)
from cis490_pipeline.edge.projection import PROJECTION_FILE, Projection, decode_projection
from cis490_pipeline.errors import BundleError, ConfigurationError
from cis490_pipeline.models.catalog import family
from cis490_pipeline.models.classifier import (
    CaseShape,
    Classifier,
    Compute,
    FamilySpec,
    StoredModel,
)
from cis490_pipeline.models.hyper_parameters import with_overrides
from cis490_pipeline.models.trunk_header import TrunkHeader, decode_trunk_header
from cis490_pipeline.schema.channels import visible_channels
from cis490_pipeline.schema.fingerprint import FeatureSchema
from cis490_pipeline.schema.windows import N_STATS


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bundle:
    """An opened bundle: its address, its header, and the model ready to predict."""

    sha256: str
    header: BundleHeader
    spec: FamilySpec
    classifier: Classifier

    @property
    def shape(self) -> CaseShape:
        """Shape of the cases that the model takes."""
        return shape_in(self.header)


def shape_in(header: BundleHeader) -> CaseShape:
    """Return the shape of the cases that a header describes."""
    return CaseShape(
        n_channels=header.n_channels,
        n_timepoints=header.n_timepoints,
        n_classes=len(header.labels),
        n_columns=header.n_columns,
    )


AnyHeader = BundleHeader | TrunkHeader
"""What a registry holds: models, and the trunks that some of them began from."""


def pack_bundle(header: AnyHeader, weights: Mapping[str, bytes]) -> tuple[str, dict[str, bytes]]:
    """Return a bundle's address and its files; the header's ``files`` are filled in here."""
    facts = {
        name: FileFacts(sha256=hashlib.sha256(data).hexdigest(), bytes=len(data))
        for name, data in sorted(weights.items())
    }
    encoded = encode_header(replace(header, files=facts))
    return hashlib.sha256(encoded).hexdigest(), {**weights, HEADER_FILE: encoded}


def _refusal(what: str, where: Path, *, expected: str = "", found: str = "") -> BundleError:
    return BundleError(
        what,
        where=str(where),
        expected=expected,
        found=found,
        todo="train the model again, or fetch the bundle again from where it was made",
    )


def _read_bounded(path: Path, most_bytes: int) -> bytes:
    """Return a regular file's content; a link, a device or a longer file is refused unread."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise _refusal("file cannot be read", path, found=error.strerror or str(error)) from error
    try:
        facts = os.fstat(handle)
        if not stat.S_ISREG(facts.st_mode) or facts.st_size > most_bytes:
            raise _refusal(
                "not a regular file of the expected size",
                path,
                expected=f"at most {most_bytes} bytes",
                found=f"{facts.st_size} bytes",
            )
        with os.fdopen(handle, "rb", closefd=False) as file:
            return file.read(most_bytes + 1)
    finally:
        os.close(handle)


def read_header(
    directory: Path, *, schema: FeatureSchema | None = None
) -> tuple[str, BundleHeader]:
    """Return a bundle's address and header, without its weights.

    Raises
    ------
    SchemaMismatchError
        Where it was made for another feature schema.
    BundleError
        Where the header is absent or damaged, or the directory has another name.
    """
    address, data = read_header_bytes(directory)
    return address, decode_header(data, where=str(directory.resolve()), schema=schema)


def read_header_bytes(directory: Path) -> tuple[str, bytes]:
    """Return the address and the header's bytes of a bundle of any kind.

    Raises
    ------
    BundleError
        Where the header is absent or too large, or the directory has another name.
    """
    real = directory.resolve()
    data = _read_bounded(real / HEADER_FILE, LARGEST_HEADER_BYTES)
    address = hashlib.sha256(data).hexdigest()
    if real.name != address:
        raise _refusal(
            "name is not the hash of the header", real, expected=address, found=real.name
        )
    return address, data


def read_trunk_header(directory: Path) -> tuple[str, TrunkHeader]:
    """Return the address and header of a pre-trained trunk, without its weights.

    Raises
    ------
    SchemaMismatchError
        Where it was made for another feature schema.
    BundleError
        Where it is damaged, or no trunk.
    """
    address, data = read_header_bytes(directory)
    return address, decode_trunk_header(data, where=str(directory.resolve()))


def read_files(directory: Path, header: AnyHeader) -> dict[str, bytes]:
    """Return the files that a header names, checked against size and hash.

    Raises
    ------
    BundleError
        Where one is absent or differs.
    """
    files: dict[str, bytes] = {}
    for name, facts in header.files.items():
        path = directory.resolve() / name
        data = _read_bounded(path, facts.bytes)
        if len(data) != facts.bytes or hashlib.sha256(data).hexdigest() != facts.sha256:
            raise _refusal("content differs from the header", path, expected=facts.sha256[:12])
        files[name] = data
    return files


def _spec_of(header: BundleHeader, directory: Path) -> FamilySpec:
    try:
        spec = family(header.family)
    except ConfigurationError as error:
        raise _refusal(
            "family unknown to this version", directory, expected=error.expected, found=error.found
        ) from error
    if header.mode not in spec.modes:
        raise _refusal("mode that the family does not have", directory, found=header.mode.value)
    if header.context not in spec.contexts:
        raise _refusal(
            "context that the family does not have", directory, found=header.context.value
        )
    return spec


def _stored(
    spec: FamilySpec, header: BundleHeader, directory: Path, compute: Compute
) -> StoredModel:
    where = f"{directory}: hyper-parameters"
    try:
        chosen = with_overrides(spec.hyper_parameters, header.hyper_parameters, where=where)
    except ConfigurationError as error:
        raise _refusal(error.what, directory, expected=error.expected, found=error.found) from error
    files = read_files(directory, header)
    files.pop(PROJECTION_FILE, None)  # for drawing: no family knows of it
    return StoredModel(
        files=files, shape=shape_in(header), hyper_parameters=chosen, compute=compute
    )


def open_bundle(
    directory: Path, *, schema: FeatureSchema | None = None, compute: Compute | None = None
) -> Bundle:
    """Open a bundle for predicting.

    Parameters
    ----------
    directory
        Named by the hash of its header.
    schema
        What the bundle must have been made for; None is this code's own.
    compute
        Threads and device of the predictions; None is one thread on the CPU.

    Raises
    ------
    SchemaMismatchError
        Where it was made for another feature schema, naming the first difference.
    BundleError
        Where it is damaged, hostile or of a foreign format.
    """
    address, header = read_header(directory, schema=schema)
    spec = _spec_of(header, directory)
    stored = _stored(spec, header, directory, Compute() if compute is None else compute)
    return Bundle(sha256=address, header=header, spec=spec, classifier=spec.load(stored))


def read_projection(directory: Path, header: BundleHeader) -> Projection | None:
    """Return the plane of a bundle's training windows; None where it has none.

    Raises
    ------
    BundleError
        Where the file is damaged or of another form.
    """
    if PROJECTION_FILE not in header.files:
        return None
    data = read_files(directory, header)[PROJECTION_FILE]
    return decode_projection(
        data,
        n_statistics=len(visible_channels(header.mode)) * N_STATS,
        where=str(directory / PROJECTION_FILE),
    )
