"""What to fit: family, mode, context, phase filter, seed, statuses and hyper-parameters, validated.

Not here: the training set it is fitted on (``job``), its hash (``identity``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from cis490_pipeline.edge.alarm import AlarmPolicy
from cis490_pipeline.errors import ConfigurationError
from cis490_pipeline.models.catalog import family
from cis490_pipeline.models.classifier import FamilySpec, HyperParameters
from cis490_pipeline.models.hyper_parameters import Scalar, differences, with_overrides
from cis490_pipeline.schema.channels import Mode
from cis490_pipeline.schema.context import Context

DEFAULT_STATUSES = ("accepted", "degraded")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRequest:
    """One fit.

    Attributes
    ----------
    phase_filter
        Whether the model's probabilities go through a phase filter.
    search
        Whether the family's declared grid is tried, and the best combination on id_val taken.
    alarm
        What the alarm's threshold has to keep on id_val.

    Raises
    ------
    ConfigurationError
        Where the family is unknown, does not have the mode or the context, has nothing to search,
        or the hyper-parameters are not its, or are both given and searched.
    """

    family: str
    mode: Mode
    context: Context
    seed: int
    statuses: tuple[str, ...]
    hyper_parameters: HyperParameters
    phase_filter: bool = False
    search: bool = False
    alarm: AlarmPolicy = field(default_factory=AlarmPolicy)

    def __post_init__(self) -> None:
        spec = self.spec
        _require_one_of(self.mode, spec.modes, "mode", self.family)
        _require_one_of(self.context, spec.contexts, "context", self.family)
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
        if self.search:
            _require_searchable(spec, self.hyper_parameters)

    @property
    def spec(self) -> FamilySpec:
        """The family that is asked for."""
        return family(self.family)

    @property
    def varied(self) -> tuple[Mapping[str, Scalar], ...]:
        """What a search varies, combination by combination; the first varies nothing."""
        return tuple(differences(one, self.spec.hyper_parameters) for one in self.spec.grid)

    @property
    def trials(self) -> tuple["TrainingRequest", ...]:
        """The requests that a search makes, one for each combination of the grid in its order."""
        where = f"family {self.family}"
        return tuple(
            replace(
                self,
                search=False,
                hyper_parameters=with_overrides(self.hyper_parameters, varied, where=where),
            )
            for varied in self.varied
        )


def _require_one_of(
    chosen: Mode | Context, known: tuple[Mode | Context, ...], what: str, family_name: str
) -> None:
    if chosen not in known:
        raise ConfigurationError(
            f"the family does not have this {what}",
            where=f"family {family_name}",
            expected="one of " + ", ".join(one.value for one in known),
            found=chosen.value,
            todo=f"choose one of these {what}s",
        )


def _require_searchable(spec: FamilySpec, chosen: HyperParameters) -> None:
    where = f"family {spec.name}"
    if not spec.grid:
        raise ConfigurationError(
            "there is nothing to search",
            where=where,
            expected="a family with a grid",
            found="it has no hyper-parameters, or chooses its one number on id_val in every fit",
            todo="fit it without a search",
        )
    varied = {name for one in spec.grid for name in differences(one, spec.hyper_parameters)}
    both = sorted(varied & differences(chosen, spec.hyper_parameters).keys())
    if both:
        raise ConfigurationError(
            "a hyper-parameter is both given and searched",
            where=where,
            found=", ".join(both),
            todo="give it, or search, but not both",
        )


def filters_by_default(context: Context) -> bool:
    """Return whether a model gets a phase filter where nobody says: where it looks back anyway."""
    return context is not Context.NONE


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
