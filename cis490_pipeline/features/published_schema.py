"""The feature schema as other programs read it: ``feature_schema.json`` beside the tables.

Not here: the schema that artifacts are checked against (``schema.fingerprint``), of which this is
a view without the internals. Written by ingest, read by people and by foreign tools.
"""

import json
from dataclasses import asdict, dataclass

from cis490_pipeline.schema.channels import CHANNELS
from cis490_pipeline.schema.fingerprint import EXTRACTION_VERSION, current_schema
from cis490_pipeline.schema.phases import PHASES
from cis490_pipeline.schema.windows import FEATURE_NAMES, STATS, STRIDE_S, WINDOW_S


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedChannel:
    """One grid column; ``in_deployment`` says whether a detector in the field would have it."""

    name: str
    source: str
    kind: str
    in_deployment: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedSchema:
    """What a reader of the feature tables and shards has to know.

    ``feature_names`` and ``in_deployment_mask`` run in parallel (276); ``channels`` are the
    columns of a shard, in order (46); ``phases`` are in class order.
    """

    version: int
    fingerprint: str
    phases: tuple[str, ...]
    feature_names: tuple[str, ...]
    in_deployment_mask: tuple[bool, ...]
    channels: tuple[PublishedChannel, ...]
    stat_suffixes: tuple[str, ...]
    window_seconds: float
    stride_seconds: float

    def to_json(self) -> bytes:
        """Return the file's bytes: the same schema always gives the same bytes."""
        return json.dumps(asdict(self), indent=2).encode() + b"\n"


def published_schema() -> PublishedSchema:
    """Return the schema of this code.

    >>> schema = published_schema()
    >>> len(schema.feature_names), sum(schema.in_deployment_mask) // len(schema.stat_suffixes)
    (276, 25)
    """
    return PublishedSchema(
        version=EXTRACTION_VERSION,
        fingerprint=current_schema().fingerprint,
        phases=tuple(phase.value for phase in PHASES),
        feature_names=FEATURE_NAMES,
        in_deployment_mask=tuple(channel.realistic for channel in CHANNELS for _ in STATS),
        channels=tuple(
            PublishedChannel(
                name=channel.name,
                source=channel.source.value,
                kind=channel.kind.value,
                in_deployment=channel.realistic,
            )
            for channel in CHANNELS
        ),
        stat_suffixes=tuple(stat.value for stat in STATS),
        window_seconds=WINDOW_S,
        stride_seconds=STRIDE_S,
    )
