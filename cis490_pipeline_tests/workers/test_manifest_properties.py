"""Any manifest is a value or the project's error, and a reload loses nothing."""

from hypothesis import given, settings
from hypothesis import strategies as st

from cis490_pipeline.errors import ConfigurationError
from cis490_pipeline.models.catalog import FAMILIES
from cis490_pipeline.workers.manifest import Manifest
from cis490_pipeline.workers.manifest_file import parse_manifest
from cis490_pipeline.workers.placement import hosts_denying, placements
from cis490_pipeline.workers.reconciliation import (
    JobState,
    Reconciliation,
    TrackedJob,
    reconcile,
)
from cis490_pipeline_tests.workers.building import machine, manifest, worker

KEYS = st.sampled_from(
    [
        *("family", "mode", "context", "split", "seeds", "hyper_parameters", "require_cuda"),
        *("prefer_cuda", "min_vram_gib", "min_ram_gib", "allowed_hosts", "allow", "deny"),
        *("jobs", "hosts", "depth", "learning_rate", "gradient_clip"),
    ]
)
SCALARS = (
    st.sampled_from([*(f'"{spec.name}"' for spec in FAMILIES), '"oracle"', '"any"', '"sample"'])
    | st.integers().map(str)
    | st.floats().map(lambda x: str(x).replace("e+", "e"))
    | st.booleans().map(lambda x: str(x).lower())
    | st.sampled_from(["1979-05-27T07:32:00Z", "07:32:00", "'\\'", "0x7f", "1e400", "-0.0", "''"])
    | st.text(max_size=8).map(lambda x: '"' + "".join(f"\\U{ord(c):08x}" for c in x) + '"')
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda x: "[" + ", ".join(x) + "]")
        | st.dictionaries(KEYS, inner, max_size=3).map(
            lambda x: "{" + ", ".join(f"{k} = {v}" for k, v in x.items()) + "}"
        )
    ),
    max_leaves=6,
)
LINES = st.tuples(KEYS, VALUES).map(" = ".join)
HEADS = st.sampled_from(["[[jobs]]", "[hosts.a]", "[hosts.b]", "[jobs.hyper_parameters]", "[x]"])
TEXTS = st.lists(HEADS | LINES, max_size=12).map("\n".join)
SOUND = {"family": '"cnn"', "mode": '"oracle"', "split": '"sample"'}
HOSTS = '[hosts.a]\nallow = ["cnn"]\n[hosts.b]\ndeny = ["gbt"]\n[hosts.c]\n'
FLAGS = st.sampled_from(["true", "false"])
AMOUNTS = st.sampled_from(["1", "7.5", "1e-300", "5e5"])
SENSIBLE = st.fixed_dictionaries(
    {
        "family": st.sampled_from(['"cnn"', '"gbt"', '"bert"', '"blend"']),
        "mode": st.sampled_from(['"oracle"', '"realistic"']),
        "split": st.sampled_from(['"sample"', '"host=lab-a"', '"deploy"']),
        "seeds": st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=3, unique=True).map(str),
    },
    optional={
        "context": st.sampled_from(['"recent"', '"transductive"']),
        "require_cuda": FLAGS,
        "prefer_cuda": FLAGS,
        "min_vram_gib": AMOUNTS,
        "min_ram_gib": AMOUNTS,
        "allowed_hosts": st.sampled_from(['["a"]', '["b", "c"]', '["a", "b"]']),
    },
)
UNSOUND = st.dictionaries(KEYS, VALUES, max_size=2).map(lambda changes: {**SOUND, **changes})
NEARLY_SOUND = st.lists(SENSIBLE | UNSOUND, max_size=3).map(
    lambda tables: (
        HOSTS
        + "\n".join(
            "\n".join(["[[jobs]]", *(f"{key} = {value}" for key, value in table.items())])
            for table in tables
        )
    )
)


def value_or_refusal(content: bytes) -> Manifest | ConfigurationError:
    try:
        return parse_manifest(content, where="m.toml")
    except ConfigurationError as error:
        return error


def check_sound(found: Manifest | ConfigurationError) -> None:
    """Assert that a refusal says where and can be printed, and that jobs can be worked with."""
    if isinstance(found, ConfigurationError):
        assert found.where.startswith("m.toml")
        assert str(found).isprintable()
        return
    identities = [job.identity for job in found.jobs]
    assert len(set(identities)) == len(identities)
    assert len(placements(found, worker(machine()))) == len(identities)
    for job in found.jobs:
        allowed = job.needs.allowed_hosts
        assert allowed is None or set(allowed) - set(hosts_denying(job, found))


@given(st.binary(max_size=300))
def test_any_bytes_are_a_manifest_or_a_refusal(content: bytes) -> None:
    check_sound(value_or_refusal(content))


@given(TEXTS | NEARLY_SOUND)
@settings(max_examples=300)
def test_any_toml_is_a_manifest_or_a_refusal(text: str) -> None:
    check_sound(value_or_refusal(text.encode()))


JOBS = manifest(
    '[[jobs]]\nfamily = "majority"\nmode = "any"\nsplit = "sample"\nseeds = [0, 1, 2, 3, 4, 5]\n'
).jobs
SUBSETS = st.lists(st.sampled_from(JOBS), unique_by=lambda job: job.identity).map(
    lambda jobs: Manifest(hosts=(), jobs=tuple(jobs))
)
KNOWN = st.lists(
    st.builds(
        TrackedJob,
        job=st.sampled_from(JOBS),
        state=st.sampled_from(JobState),
        declared=st.booleans(),
    ),
    unique_by=lambda one: one.job.identity,
)


def states(jobs: tuple[TrackedJob, ...] | list[TrackedJob]) -> dict[str, JobState]:
    return {one.job.identity: one.state for one in jobs}


@given(KNOWN, SUBSETS)
def test_a_second_reload_changes_nothing(known: list[TrackedJob], declared: Manifest) -> None:
    once = reconcile(known, declared)
    assert reconcile(once.jobs, declared) == Reconciliation(
        jobs=once.jobs, added=(), withdrawn=(), forgotten=()
    )


@given(KNOWN, SUBSETS)
def test_no_state_is_lost_or_changed(known: list[TrackedJob], declared: Manifest) -> None:
    before, result = states(known), reconcile(known, declared)
    after = states(result.jobs)
    wanted = {job.identity for job in declared.jobs}
    lost = before.keys() - after.keys()
    assert lost == set(result.forgotten)
    assert all(before[one] is JobState.CANCELLED and one not in wanted for one in lost)
    assert all(after[one] is before[one] for one in before.keys() & after.keys())
    assert {one for one in after if after[one] is JobState.PENDING} >= set(result.added)
    assert set(result.added) == wanted - before.keys()
    assert wanted <= after.keys()
    assert {one.job.identity for one in result.jobs if one.declared} == wanted
    assert len(result.jobs) == len(after)


@given(KNOWN, SUBSETS, SUBSETS)
def test_leaving_the_manifest_and_coming_back_keeps_what_runs(
    known: list[TrackedJob], declared: Manifest, meanwhile: Manifest
) -> None:
    first = reconcile(known, declared)
    away = reconcile(first.jobs, meanwhile)
    back = states(reconcile(away.jobs, declared).jobs)
    for identity, state in states(first.jobs).items():
        if state is not JobState.CANCELLED:
            assert back[identity] is state
