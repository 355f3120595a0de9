"""What to fit: family, mode, context, seed, statuses and hyper-parameters, validated.

Not here: the training set it is fitted on (``run``), its hash (``identity``).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from cis490_pipeline.errors import ConfigurationError
from cis490_pipeline.models.catalog import family
from cis490_pipeline.models.classifier import Context, FamilySpec, HyperParameters
from cis490_pipeline.models.hyper_parameters import with_overrides
from cis490_pipeline.schema.channels import Mode

DEFAULT_STATUSES = ("accepted", "degraded")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRequest:
    """One fit.

    Raises
    ------
    ConfigurationError
        Where the family is unknown, does not have the mode, or the hyper-parameters are not its.
    """

    family: str
    mode: Mode
    context: Context
    seed: int
    statuses: tuple[str, ...]
    hyper_parameters: HyperParameters

    def __post_init__(self) -> None:
        spec = self.spec
        if self.mode not in spec.modes:
            raise ConfigurationError(
                "the family does not have this mode",
                where=f"family {self.family}",
                expected="one of " + ", ".join(mode.value for mode in spec.modes),
                found=self.mode.value,
                todo="choose one of these modes",
            )
        if type(self.hyper_parameters) is not type(spec.hyper_parameters):
            raise ConfigurationError(
                "hyper-parameters of another family",
                where=f"family {self.family}",
                expected=type(spec.hyper_parameters).__name__,
                found=type(self.hyper_parameters).__name__,
                todo="build them with hyper_parameters_from_overrides",
            )
        # A dataclass built by hand has not met its bounds yet.
        with_overrides(self.hyper_parameters, {}, where=f"family {self.family}")
        _require_seed_and_statuses(self.seed, self.statuses)

    @property
    def spec(self) -> FamilySpec:
        """The family that is asked for."""
        return family(self.family)


def _require_seed_and_statuses(seed: int, statuses: tuple[str, ...]) -> None:
    if not 0 <= seed < 2**31:
        raise ConfigurationError(
            "seed out of range",
            where="seed",
            expected="0 to 2147483647",
            found=str(seed),
            todo="choose a seed in that range",
        )
    if not statuses:
        raise ConfigurationError(
            "no status is included",
            where="statuses",
            expected="accepted, or accepted and degraded",
            todo="name at least one status",
        )


def hyper_parameters_from_overrides(
    family_name: str, overrides: Mapping[str, object]
) -> HyperParameters:
    """Return a family's defaults with some values replaced; numbers may come as text.

    Raises
    ------
    ConfigurationError
        On an unknown family or name, a wrong type or a value out of bounds.

    >>> hyper_parameters_from_overrides("gbt", {"depth": "6"}).depth
    6
    """
    return with_overrides(
        family(family_name).hyper_parameters, overrides, where=f"family {family_name}"
    )
