"""Made-up episode facts for the tests of splits."""

from dataclasses import replace

from hypothesis import strategies as st

from cis490_pipeline.schema.ids import EpisodeId, HostId
from cis490_pipeline.splits.plan import EpisodeFacts, Refusal, SplitPlan

PROFILES = ("benign", "cpu-saturate", "io-walk", "")
NAMES = ("", "s-a", "s-b", "s-c")
HOSTS = ("lab-a", "lab-b", "lab-c")


def episode(number: int, **changes: object) -> EpisodeFacts:
    """An accepted io-walk episode of lab-a; its tarball differs from every other number's."""
    facts = EpisodeFacts(
        episode_id=EpisodeId(f"{number:026d}"),
        host_id=HostId("lab-a"),
        sha256=f"{number:064x}",
        profile="io-walk",
        sample_name="walker-a",
        status="accepted",
        received_at_s=1_000.0 + number,
        n_windows=10,
    )
    return replace(facts, **changes)


def store(per_host: int = 40, hosts: tuple[str, ...] = ("lab-a", "lab-b")) -> list[EpisodeFacts]:
    """A healthy store: each host runs controls and two profiles of two samples each."""
    return [
        episode(
            100_000 * (position + 1) + i,
            host_id=host,
            profile=("benign", "io-walk", "scan-and-dial")[i % 3],
            sample_name=("none", f"{i % 3}-{i // 3 % 2}", f"{i % 3}-{i // 3 % 2}")[i % 3],
            received_at_s=1_000.0 + i,
        )
        for position, host in enumerate(hosts)
        for i in range(per_host)
    ]


def planned(plan: SplitPlan | Refusal) -> SplitPlan:
    assert isinstance(plan, SplitPlan), plan
    return plan


def refused(plan: SplitPlan | Refusal) -> Refusal:
    assert isinstance(plan, Refusal), plan
    return plan


def facts(max_size: int = 60) -> st.SearchStrategy[list[EpisodeFacts]]:
    """Stores with everything odd at once: copies, missing metadata, ties, other statuses."""
    one = st.builds(
        lambda number, copy_of, **fields: episode(number, sha256=f"{copy_of:064x}", **fields),
        number=st.integers(0, 99_999),
        copy_of=st.integers(0, 80),
        host_id=st.sampled_from(HOSTS),
        profile=st.sampled_from(PROFILES),
        sample_name=st.sampled_from(NAMES),
        sample_kind=st.sampled_from(("", "control", "emulated")),
        status=st.sampled_from(("accepted", "degraded", "rejected")),
        received_at_s=st.one_of(
            st.none(), st.sampled_from((float("nan"), 5.0, 5.0, 7.0)), st.floats(0, 1e9)
        ),
        n_windows=st.integers(0, 3),
    )
    odd = st.lists(one, max_size=max_size, unique_by=lambda e: e.episode_id)
    # Without a healthy floor most of these stores would be refused and test nothing else.
    return st.tuples(odd, st.sampled_from(([], store(12, HOSTS)))).map(
        lambda both: [*both[0], *both[1]]
    )


def clean_facts(max_size: int = 60) -> st.SearchStrategy[list[EpisodeFacts]]:
    """Stores without copies, where one episode can be looked at for itself."""
    one = st.builds(
        episode,
        st.integers(0, 99_999),
        host_id=st.sampled_from(HOSTS),
        profile=st.sampled_from(PROFILES),
        status=st.sampled_from(("accepted", "degraded")),
        n_windows=st.integers(0, 3),
    )
    return st.lists(one, max_size=max_size, unique_by=lambda e: e.episode_id)
