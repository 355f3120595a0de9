"""The header of a pre-trained trunk: what it was trained on, unlabelled, and how its file hashes.

A trunk is a bundle of its own beside the models: one safetensors file, named by the hash of this
header. It predicts nothing, so it has no labels, no calibration and no score; ``open_bundle``
refuses it by its format.

Not here: the pre-training (``training``), reading the files (``bundle``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final

import msgspec

from cis490_pipeline.edge.header import (
    FileFacts,
    Scalar,
    Sha256,
    decode_as,
    header_refusal,
)
from cis490_pipeline.schema.channels import Mode
from cis490_pipeline.schema.context import Context
from cis490_pipeline.schema.fingerprint import FeatureSchema

TRUNK_FORMAT: Final = "trunk-1"
TRUNK_FILE: Final = "trunk.safetensors"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrunkHeader:
    """Where a trunk comes from; ``hyper_parameters`` are those that pre-training looks at.

    ``training_ids_hash`` covers the episodes of the train role, the only ones that it has seen.
    """

    format_version: str
    family: str
    mode: Mode
    context: Context
    hyper_parameters: Mapping[str, Scalar]
    split: str
    training_ids_hash: str
    statuses: tuple[str, ...]
    seed: int
    identity: Sha256
    schema: FeatureSchema
    schema_fingerprint: Sha256
    n_channels: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
    n_timepoints: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
    library_versions: Mapping[str, str]
    code_commit: str
    files: Mapping[str, FileFacts]


def decode_trunk_header(data: bytes, *, where: str) -> TrunkHeader:
    """Return the header of a trunk, refusing everything that this version did not write.

    Raises
    ------
    SchemaMismatchError
        Where it was made for another schema, naming the first difference.
    BundleError
        For everything else.
    """
    header = decode_as(TrunkHeader, data, version=TRUNK_FORMAT, where=where)
    if tuple(header.files) != (TRUNK_FILE,):
        raise header_refusal("a trunk is one file", where, expected=TRUNK_FILE)
    return header
