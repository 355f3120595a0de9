"""``training_manifest.toml``: what to fit, and where it may run.

::

    [hosts.gpu-1]                   # a worker, by the hostname of `cis490 capability`
    allow = ["cnn", "gru", "bert"]  # only these families; without it all
    [hosts.pi]
    deny = ["gbt"]

    [[jobs]]
    family = "cnn"
    mode = "realistic"
    context = "recent"              # default: none
    split = "host=lab-b"
    seeds = [0, 1, 2]               # default: [0]; each is a job
    require_cuda = true             # or prefer_cuda
    min_vram_gib = 7.5
    min_ram_gib = 4
    allowed_hosts = ["gpu-1"]
    [jobs.hyper_parameters]
    learning_rate = 3e-4

Everything is checked when it is read, and a fault names file, job and key. Not here: whether a
split has a training set, and what the workers are like (``placement``).
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

import msgspec

from cis490_pipeline.errors import ConfigurationError
from cis490_pipeline.schema.ids import host_id_or_none
from cis490_pipeline.workers.manifest import HostRules, Manifest, ManifestJob
from cis490_pipeline.workers.manifest_jobs import jobs_of
from cis490_pipeline.workers.manifest_place import ManifestPlace

LARGEST_BYTES: Final = 1 << 20


class _Host(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    allow: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)] | None = None
    deny: tuple[str, ...] = ()


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    hosts: dict[str, object] = {}
    jobs: list[object] = []


def load_manifest(path: Path) -> Manifest:
    """Read a manifest and check everything in it.

    Raises
    ------
    ConfigurationError
        Where the file cannot be read, and as ``parse_manifest``.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise ManifestPlace(file=str(path)).refused(
            "cannot read the manifest", expected="a TOML file", found=str(error)
        ) from error
    return parse_manifest(content, where=str(path))


def parse_manifest(content: bytes, *, where: str) -> Manifest:
    """Return what a manifest declares.

    Parameters
    ----------
    where
        The file's name, for messages.

    Raises
    ------
    ConfigurationError
        Saying at which host or job and key what is wrong.
    """
    place = ManifestPlace(file=where)
    document = _document(content, place)
    with place.converting(_File.__struct_fields__):
        declared = msgspec.convert(document, _File)
    hosts = {
        name: _rules(name, table, place.at(f"hosts.{name}"))
        for name, table in declared.hosts.items()
    }
    return Manifest(hosts=tuple(hosts.values()), jobs=_jobs(declared.jobs, hosts, place))


def _document(content: bytes, place: ManifestPlace) -> dict[str, object]:
    if len(content) > LARGEST_BYTES:
        raise place.refused("the manifest is too large", expected=f"{LARGEST_BYTES} bytes at most")
    try:
        return tomllib.loads(content.decode("utf-8"))
    # ValueError: TOML, UTF-8, numbers of thousands of digits; RecursionError: nested too deep
    except (ValueError, RecursionError) as error:
        raise place.refused(
            "the manifest is not TOML", expected="TOML in UTF-8", found=str(error)
        ) from error


def _rules(name: str, table: object, place: ManifestPlace) -> HostRules:
    if host_id_or_none(name) is None:
        raise place.refused(
            "no name that a host can have", expected="letters, digits, '.', '_', '-'", found=name
        )
    with place.converting(_Host.__struct_fields__):
        declared = msgspec.convert(table, _Host)
    allow, deny = declared.allow, declared.deny
    for key, names in (("allow", allow or ()), ("deny", deny)):
        place.require_distinct(key, names)
        place.require_families(key, names)
    both = [name for name in deny if name in (allow or ())]
    if both:
        raise place.refused(
            "a family is both allowed and denied", key="allow, deny", found=", ".join(both)
        )
    return HostRules(name=name, allow=allow, deny=deny)


def _jobs(
    tables: list[object], hosts: Mapping[str, HostRules], place: ManifestPlace
) -> tuple[ManifestJob, ...]:
    jobs: dict[str, ManifestJob] = {}
    number_of: dict[str, int] = {}
    for number, table in enumerate(tables, start=1):
        here = place.at(f"job {number}")
        for job in jobs_of(table, hosts, here):
            if job.identity in jobs:
                raise _twice(job, number_of[job.identity], here)
            jobs[job.identity], number_of[job.identity] = job, number
    return tuple(jobs.values())


def _twice(job: ManifestJob, earlier: int, place: ManifestPlace) -> ConfigurationError:
    return place.refused(
        "the same job stands in the manifest twice",
        key="seeds",
        found=f"job {earlier} fits the same with seed {job.request.seed}",
        todo="remove one of them; what a job needs of a worker makes it no other job",
    )
