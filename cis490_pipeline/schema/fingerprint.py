"""What makes two artifacts comparable: the feature schema and its hash.

A bundle carries the whole description, so that a refusal can name the first difference and not
just say that two hashes differ.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cache
from typing import Final

import msgspec

from cis490_pipeline.errors import SchemaMismatchError
from cis490_pipeline.schema.channels import CHANNELS, SOURCE_FACTS, Channel
from cis490_pipeline.schema.phases import PHASES
from cis490_pipeline.schema.windows import STATS, STRIDE_TICKS, TICK_NS, WINDOW_TICKS

EXTRACTION_VERSION: Final = 1
"""Raise it whenever the extraction code gives other numbers for the same episode."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelSchema:
    """One channel as an artifact remembers it."""

    source: str
    name: str
    kind: str
    realistic: bool
    period_ns: int
    staleness_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureSchema:
    """Everything that the numbers of a shard or a feature table depend on."""

    extraction_version: int
    phases: tuple[str, ...]
    tick_ns: int
    window_ticks: int
    stride_ticks: int
    stats: tuple[str, ...]
    channels: tuple[ChannelSchema, ...]

    @property
    def fingerprint(self) -> str:
        """Hash of the canonical JSON form, 64 hexadecimal digits."""
        text = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def _describe(channel: Channel) -> ChannelSchema:
    facts = SOURCE_FACTS[channel.source]
    return ChannelSchema(
        source=channel.source.value,
        name=channel.name,
        kind=channel.kind.value,
        realistic=channel.realistic,
        period_ns=facts.period_ns,
        staleness_ns=facts.staleness_ns,
    )


def feature_schema_of(channels: tuple[Channel, ...]) -> FeatureSchema:
    """Return the schema of this code with the given channel table."""
    return FeatureSchema(
        extraction_version=EXTRACTION_VERSION,
        phases=tuple(phase.value for phase in PHASES),
        tick_ns=TICK_NS,
        window_ticks=WINDOW_TICKS,
        stride_ticks=STRIDE_TICKS,
        stats=tuple(stat.value for stat in STATS),
        channels=tuple(_describe(channel) for channel in channels),
    )


@cache
def current_schema() -> FeatureSchema:
    """Return the schema that this code extracts."""
    return feature_schema_of(CHANNELS)


def schema_from_json(raw: object, *, where: str) -> FeatureSchema:
    """Rebuild a schema from the JSON of an artifact.

    Raises
    ------
    SchemaMismatchError
        Where the JSON does not have the fields of a feature schema.
    """
    try:
        return msgspec.convert(raw, FeatureSchema)
    except msgspec.ValidationError as error:
        raise SchemaMismatchError(
            "not a feature schema",
            where=where,
            expected="the fields " + ", ".join(FeatureSchema.__slots__),
            found=str(error),
            todo="retrain the model with this version",
        ) from error


def _difference_of_channels(theirs: FeatureSchema, ours: FeatureSchema) -> str | None:
    for position, (their, our) in enumerate(zip(theirs.channels, ours.channels, strict=False)):
        for field in ChannelSchema.__slots__:
            if getattr(their, field) != getattr(our, field):
                return (
                    f"channel {position} ({our.source}.{our.name}): {field} is "
                    f"{getattr(their, field)!r} in the artifact, {getattr(our, field)!r} here"
                )
    return _surplus_channel(theirs, ours)


def _surplus_channel(theirs: FeatureSchema, ours: FeatureSchema) -> str | None:
    common = min(len(theirs.channels), len(ours.channels))
    for channel in theirs.channels[common:]:
        return f"channel {common} ({channel.source}.{channel.name}) is only in the artifact"
    for channel in ours.channels[common:]:
        return f"channel {common} ({channel.source}.{channel.name}) is not in the artifact"
    return None


def first_difference(theirs: FeatureSchema, ours: FeatureSchema) -> str | None:
    """Say where two schemas first differ, None where they are equal."""
    for field in FeatureSchema.__slots__:
        if field != "channels" and getattr(theirs, field) != getattr(ours, field):
            a, b = getattr(theirs, field), getattr(ours, field)
            return f"{field} is {a!r} in the artifact, {b!r} here"
    return _difference_of_channels(theirs, ours)


def require_schema(theirs: FeatureSchema, *, where: str, ours: FeatureSchema | None = None) -> None:
    """Refuse an artifact of another schema.

    Raises
    ------
    SchemaMismatchError
        Naming the first difference.
    """
    here = current_schema() if ours is None else ours
    difference = first_difference(theirs, here)
    if difference is not None:
        raise SchemaMismatchError(
            f"made for another feature schema: {difference}",
            where=where,
            expected=here.fingerprint[:12],
            found=theirs.fingerprint[:12],
            todo="retrain with this version, or use the version that made it",
        )
