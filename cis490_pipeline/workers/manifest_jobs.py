"""One ``[[jobs]]`` table of a manifest as jobs, one a seed, held against the families themselves.

Not here: the file around it (``manifest_file``), where a fault is said to be (``manifest_place``).
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Final

import msgspec

from cis490_pipeline.models.catalog import family
from cis490_pipeline.models.classifier import FamilySpec
from cis490_pipeline.models.hyper_parameters import with_overrides
from cis490_pipeline.schema.channels import Mode
from cis490_pipeline.schema.context import Context
from cis490_pipeline.schema.fingerprint import current_schema
from cis490_pipeline.splits.recipes import parse_split
from cis490_pipeline.training.identity import request_identity
from cis490_pipeline.training.request import DEFAULT_STATUSES, TrainingRequest, filters_by_default
from cis490_pipeline.workers.manifest import CudaUse, HostRules, ManifestJob, Needs
from cis490_pipeline.workers.manifest_place import ManifestPlace

MOST_SEEDS: Final = 1_000
"""A slip of the keyboard should not fill a queue for a year."""

_Gib = Annotated[float, msgspec.Meta(gt=0, le=1_000_000)]
_Seed = Annotated[int, msgspec.Meta(ge=0, lt=2**31)]


class _Job(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    family: str
    mode: Mode
    split: str
    context: Context = Context.NONE
    hyper_parameters: dict[str, object] = {}
    seeds: Annotated[tuple[_Seed, ...], msgspec.Meta(min_length=1, max_length=MOST_SEEDS)] = (0,)
    require_cuda: bool = False
    prefer_cuda: bool = False
    min_vram_gib: _Gib | None = None
    min_ram_gib: _Gib | None = None
    allowed_hosts: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)] | None = None


_KEYS: Final = _Job.__struct_fields__


def jobs_of(
    table: object, hosts: Mapping[str, HostRules], place: ManifestPlace
) -> tuple[ManifestJob, ...]:
    """Return the jobs of one table, in the order of its seeds.

    Parameters
    ----------
    hosts
        The rules of the manifest's hosts, by name.
    place
        The table's place in the file.

    Raises
    ------
    ConfigurationError
        Where a key is unknown, of a wrong type or range, nothing that the family has, or
        contradicts another one.
    """
    with place.converting(_KEYS):
        declared = msgspec.convert(table, _Job)
    place.require_distinct("seeds", declared.seeds)
    place.require_families("family", (declared.family,))
    with place.under("split"):
        parse_split(declared.split)
    needs = _needs(declared, family(declared.family), place)
    _require_some_host(declared, hosts, place)
    return tuple(
        ManifestJob(
            identity=request_identity(request, declared.split, current_schema()),
            request=request,
            split=declared.split,
            needs=needs,
        )
        for request in _requests(declared, family(declared.family), place)
    )


def _requests(declared: _Job, spec: FamilySpec, place: ManifestPlace) -> Iterator[TrainingRequest]:
    with place.under("hyper_parameters"):
        chosen = with_overrides(
            spec.hyper_parameters,
            declared.hyper_parameters,
            where=f"family {spec.name}",
            from_text=False,
        )
    for seed in declared.seeds:
        with place.under("context" if declared.mode in spec.modes else "mode"):
            yield TrainingRequest(
                family=declared.family,
                mode=declared.mode,
                context=declared.context,
                seed=seed,
                statuses=DEFAULT_STATUSES,  # the training set's own are taken when it is fitted
                hyper_parameters=chosen,
                phase_filter=filters_by_default(declared.context),
            )


def _needs(declared: _Job, spec: FamilySpec, place: ManifestPlace) -> Needs:
    _require_no_contradiction(declared, spec, place)
    cuda = CudaUse.ANY
    if declared.require_cuda or declared.prefer_cuda:
        cuda = CudaUse.REQUIRED if declared.require_cuda else CudaUse.PREFERRED
    return Needs(
        cuda=cuda,
        min_vram_gib=declared.min_vram_gib,
        min_ram_gib=declared.min_ram_gib,
        allowed_hosts=declared.allowed_hosts,
    )


def _require_no_contradiction(declared: _Job, spec: FamilySpec, place: ManifestPlace) -> None:
    asks = [name for name in ("require_cuda", "prefer_cuda") if getattr(declared, name)]
    if declared.min_vram_gib is not None:
        asks.append("min_vram_gib")
    if asks and not spec.wants_gpu:
        raise place.refused(
            "the family never uses CUDA",
            key=asks[0],
            expected="no such key for this family",
            found=f"{spec.name} with {', '.join(asks)}",
            todo="leave the key away: the job would wait for a device that it does not use",
        )
    if "require_cuda" in asks and "prefer_cuda" in asks:
        raise place.refused(
            "CUDA is both required and only preferred",
            key="require_cuda, prefer_cuda",
            todo="keep one: require_cuda never runs without a device, prefer_cuda may",
        )
    if asks == ["min_vram_gib"]:
        raise place.refused(
            "VRAM is asked for and CUDA is not",
            key="min_vram_gib",
            expected="require_cuda or prefer_cuda beside it",
            todo="say whether the job may run without a device: if so prefer_cuda = true",
        )


def _require_some_host(
    declared: _Job, hosts: Mapping[str, HostRules], place: ManifestPlace
) -> None:
    allowed = declared.allowed_hosts
    if allowed is None:
        return
    place.require_distinct("allowed_hosts", allowed)
    unknown = [name for name in allowed if name not in hosts]
    if unknown:
        raise place.refused(
            "a host that the manifest does not name",
            key="allowed_hosts",
            expected=f"some of {', '.join(hosts) or 'none: there is no [hosts.<name>]'}",
            found=", ".join(unknown),
            todo="correct the name, or add [hosts.<name>]; the table may be empty",
        )
    reasons = [hosts[name].why_not(declared.family) for name in allowed]
    if None not in reasons:
        raise place.refused(
            "no allowed host may fit the family",
            key="allowed_hosts",
            expected=f"a host that may fit {declared.family}",
            found="; ".join(reason for reason in reasons if reason),
            todo="allow another host, or change the rules of these",
        )
