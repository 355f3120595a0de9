"""Hyper-parameters from and to plain mappings, strictly.

Not here: their meaning (the families), who overrides them (``training.request``).
"""

import math
from collections.abc import Mapping
from dataclasses import fields

import msgspec

from cis490_pipeline.edge.header import Scalar
from cis490_pipeline.errors import ConfigurationError
from cis490_pipeline.models.classifier import HyperParameters


def scalars_of(hyper_parameters: HyperParameters) -> dict[str, Scalar]:
    """Return them as the flat mapping that headers and identities carry.

    A whole number in a float field becomes a float, so that ``1`` and ``1.0`` are one identity.
    """
    exact = msgspec.convert(msgspec.to_builtins(hyper_parameters), type(hyper_parameters))
    return msgspec.convert(msgspec.to_builtins(exact), dict[str, Scalar])


def differences(ours: HyperParameters, defaults: HyperParameters) -> dict[str, Scalar]:
    """Return those values in which the first differ from the second, of the same family."""
    other = scalars_of(defaults)
    return {name: value for name, value in scalars_of(ours).items() if value != other[name]}


def with_overrides(
    defaults: HyperParameters,
    overrides: Mapping[str, object],
    *,
    where: str,
    from_text: bool = True,
) -> HyperParameters:
    """Return the defaults with some values replaced.

    Parameters
    ----------
    from_text
        Whether numbers may come as text (command line).

    Raises
    ------
    ConfigurationError
        On an unknown name, a wrong type or a value that is infinite or out of bounds.
    """
    known = [field.name for field in fields(defaults)]
    unknown = sorted(set(overrides) - set(known))
    if unknown:
        raise ConfigurationError(
            "unknown hyper-parameter",
            where=where,
            expected="some of " + (", ".join(known) or "none: this family has none"),
            found=", ".join(unknown),
            todo="correct the name",
        )
    for name, value in overrides.items():
        if isinstance(value, bool) and not isinstance(getattr(defaults, name), bool):
            raise _wrong(where, f"{name} is a truth value")
    try:
        merged = {**scalars_of(defaults), **overrides}
        chosen = msgspec.convert(merged, type(defaults), strict=not from_text)
    except msgspec.ValidationError as error:
        raise _wrong(where, str(error)) from error
    for name, value in scalars_of(chosen).items():
        if isinstance(value, float) and not math.isfinite(value):  # no JSON, so no identity
            raise _wrong(where, f"{name} is {value}")
    return chosen


def _wrong(where: str, found: str) -> ConfigurationError:
    return ConfigurationError(
        "hyper-parameter of a wrong type or out of bounds",
        where=where,
        found=found,
        todo="correct the value",
    )
