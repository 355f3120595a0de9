"""A manifest says what it says, and every slip is refused at its job and key."""

from pathlib import Path

import pytest

from cis490_pipeline.errors import ConfigurationError
from cis490_pipeline.schema.channels import Mode
from cis490_pipeline.schema.context import Context
from cis490_pipeline.training.on_split import FitOptions, request_of
from cis490_pipeline.training.request import DEFAULT_STATUSES
from cis490_pipeline.workers.manifest import CudaUse, HostRules, Manifest, Needs
from cis490_pipeline.workers.manifest_file import LARGEST_BYTES, load_manifest, parse_manifest
from cis490_pipeline.workers.queues import Queue
from cis490_pipeline_tests.docs.examples import REPOSITORY
from cis490_pipeline_tests.docs.markdown import blocks_of
from cis490_pipeline_tests.workers.building import manifest

GBT = '[[jobs]]\nfamily = "gbt"\nmode = "oracle"\nsplit = "sample"\n'
CNN = '[[jobs]]\nfamily = "cnn"\nmode = "oracle"\nsplit = "sample"\n'
HOSTS = '[hosts.gpu-1]\nallow = ["cnn", "gru"]\n[hosts.pi]\ndeny = ["gbt"]\n[hosts.spare]\n'
FULL = (
    HOSTS
    + """
[[jobs]]
family = "cnn"
mode = "realistic"
context = "recent"
split = "host=lab-b"
seeds = [4, 2]
require_cuda = true
min_vram_gib = 7.5
min_ram_gib = 4
allowed_hosts = ["gpu-1", "spare"]
[jobs.hyper_parameters]
learning_rate = 3e-4
epochs = 3
"""
)


def refusal(text: str) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        manifest(text)
    assert caught.value.where.startswith("training_manifest.toml")
    assert caught.value.todo
    return caught.value


def test_everything_that_it_says_is_there() -> None:
    found = manifest(FULL)
    assert found.hosts == (
        HostRules(name="gpu-1", allow=("cnn", "gru")),
        HostRules(name="pi", deny=("gbt",)),
        HostRules(name="spare"),
    )
    first, second = found.jobs
    assert (first.request.seed, second.request.seed) == (4, 2)
    assert first.needs == second.needs
    assert first.needs == Needs(
        cuda=CudaUse.REQUIRED,
        min_vram_gib=7.5,
        min_ram_gib=4.0,
        allowed_hosts=("gpu-1", "spare"),
    )
    assert (first.split, first.queue) == ("host=lab-b", Queue.GPU)


def test_a_job_is_the_fit_that_the_command_line_would_do() -> None:
    options = FitOptions(
        family="cnn",
        mode=Mode.REALISTIC,
        context=Context.RECENT,
        seed=4,
        overrides={"learning_rate": 3e-4, "epochs": 3},
    )
    assert manifest(FULL).jobs[0].request == request_of(options, DEFAULT_STATUSES)


def test_what_is_left_away_has_its_default() -> None:
    (job,) = manifest(GBT).jobs
    assert job.needs == Needs()
    assert (job.request.seed, job.request.context) == (0, Context.NONE)
    assert job.queue is Queue.CPU
    assert manifest("") == Manifest(hosts=(), jobs=())


def test_the_identity_follows_the_fit_and_not_where_it_may_run() -> None:
    plain = manifest(HOSTS + CNN).jobs[0].identity
    for more in (
        "prefer_cuda = true\n",
        "min_ram_gib = 2\n",
        'allowed_hosts = ["spare"]\n',
        "seeds = [0]\n",
        'context = "none"\n',
        "[jobs.hyper_parameters]\npasses = 30\n",  # the default, said aloud
    ):
        assert manifest(HOSTS + CNN + more).jobs[0].identity == plain
    others = {
        manifest(text).jobs[0].identity
        for text in (
            CNN + "seeds = [1]\n",
            CNN + 'context = "recent"\n',
            CNN + "[jobs.hyper_parameters]\nlearning_rate = 4e-3\n",
            CNN.replace("oracle", "realistic"),
            CNN.replace("sample", "time"),
            CNN.replace("cnn", "gru"),
        )
    }
    assert len(others) == 6
    assert plain not in others


def test_whole_numbers_stand_for_the_same_fractions() -> None:
    text = GBT + "[jobs.hyper_parameters]\nl2 = {}\n"
    assert manifest(text.format("2")).jobs == manifest(text.format("2.0")).jobs


SECOND = [
    # a key and its value, where it is said to be, what is told of it
    ("familly = 'gbt'", "familly", "unknown field"),
    ("mode = 'orakel'", "mode", "orakel"),
    ("mode = 'any'", "mode", "any"),
    ("context = 'future'", "context", "future"),
    ("split = 'hosts=lab-a'", "split", "hosts=lab-a"),
    ("split = 3", "split", "str"),
    ("family = 'gtb'", "family", "gtb"),
    ("seeds = []", "seeds", "length"),
    ("seeds = [1, 1]", "seeds", "1"),
    ("seeds = [-1]", "seeds[0]", ">= 0"),
    ("seeds = [0, 2147483648]", "seeds[1]", "<= 2147483647"),
    ("seeds = [99999999999999999999999999]", "seeds[0]", ""),
    ("seeds = [true]", "seeds[0]", "bool"),
    ("seeds = 3", "seeds", "array"),
    ("require_cuda = 'yes'", "require_cuda", "bool"),
    ("require_cuda = 1", "require_cuda", "bool"),
    ("min_ram_gib = 0", "min_ram_gib", "> 0"),
    ("min_ram_gib = nan", "min_ram_gib", "> 0"),
    ("min_ram_gib = inf", "min_ram_gib", "<="),
    ("min_ram_gib = '4'", "min_ram_gib", "float"),
    ("min_vram_gib = 4", "min_vram_gib", "gbt"),
    ("require_cuda = true", "require_cuda", "gbt"),
    ("prefer_cuda = true", "prefer_cuda", "gbt"),
    ("allowed_hosts = []", "allowed_hosts", "length"),
    ("allowed_hosts = ['nobody']", "allowed_hosts", "nobody"),
    ("allowed_hosts = ['spare', 'spare']", "allowed_hosts", "spare"),
    ("allowed_hosts = ['pi']", "allowed_hosts", "denies gbt to pi"),
    ("allowed_hosts = ['pi', 'gpu-1']", "allowed_hosts", "allows gpu-1 only cnn, gru"),
    ("hyper_parameters = 3", "hyper_parameters", "object"),
    ("hyper_parameters = {depht = 3}", "hyper_parameters", "depht"),
    ("hyper_parameters = {depth = '3'}", "hyper_parameters", "depth"),
    ("hyper_parameters = {depth = 3.0}", "hyper_parameters", "depth"),
    ("hyper_parameters = {depth = true}", "hyper_parameters", "depth"),
    ("hyper_parameters = {depth = 99}", "hyper_parameters", "depth"),
    ("hyper_parameters = {depth = 1979-05-27}", "hyper_parameters", "depth"),
    ("hyper_parameters = {l2 = nan}", "hyper_parameters", "l2"),
]


@pytest.mark.parametrize(("line", "key", "found"), SECOND, ids=[one[0] for one in SECOND])
def test_a_wrong_key_of_a_job_is_refused_by_number_and_name(
    line: str, key: str, found: str
) -> None:
    name = line.partition(" ")[0]
    rest = "".join(f"{one}\n" for one in GBT.splitlines() if one.partition(" ")[0] != name)
    error = refusal(HOSTS + CNN + rest + line + "\n")
    assert error.where == f"training_manifest.toml: job 2: {key}"
    assert found in error.found


def test_gradient_clipping_without_a_bound_is_refused_too() -> None:
    error = refusal(CNN + "hyper_parameters = {gradient_clip = inf}\n")
    assert error.where == "training_manifest.toml: job 1: hyper_parameters"
    assert "gradient_clip is inf" in error.found


@pytest.mark.parametrize("name", ["family", "mode", "split"])
def test_a_missing_key_is_refused_by_name(name: str) -> None:
    rest = "".join(f"{one}\n" for one in GBT.splitlines() if one.partition(" ")[0] != name)
    assert refusal(rest).where == f"training_manifest.toml: job 1: {name}"


@pytest.mark.parametrize(
    ("lines", "what"),
    [
        ("require_cuda = true\nprefer_cuda = true\n", "both required and only preferred"),
        ("min_vram_gib = 8\n", "CUDA is not"),
        ("min_vram_gib = 8\nprefer_cuda = false\n", "CUDA is not"),
    ],
)
def test_flags_that_contradict_each_other_are_refused(lines: str, what: str) -> None:
    error = refusal(CNN + lines)
    assert what in error.what
    assert "job 1: " in error.where


def test_a_control_has_no_context_and_no_hyper_parameters() -> None:
    majority = '[[jobs]]\nfamily = "majority"\nmode = "any"\nsplit = "sample"\n'
    assert len(manifest(majority).jobs) == 1
    assert "job 1: context" in refusal(majority + "context = 'recent'\n").where
    error = refusal(majority + "hyper_parameters = {depth = 3}\n")
    assert "this family has none" in error.expected


@pytest.mark.parametrize(
    "second",
    [
        GBT,
        GBT + "seeds = [3, 0]\n",
        GBT + "min_ram_gib = 3\n",
        GBT + "hyper_parameters = {depth = 4}\n",
    ],
)
def test_the_same_job_twice_is_refused_and_both_are_named(second: str) -> None:
    error = refusal(GBT + second)
    assert error.where == "training_manifest.toml: job 2: seeds"
    assert "job 1 fits the same with seed 0" in error.found


@pytest.mark.parametrize(
    ("text", "where", "found"),
    [
        ("[hosts.x]\nalow = ['gbt']", "hosts.x: alow", "unknown field"),
        ("[hosts.x]\nallow = 'gbt'", "hosts.x: allow", "array"),
        ("[hosts.x]\nallow = []", "hosts.x: allow", "length"),
        ("[hosts.x]\nallow = ['gtb']", "hosts.x: allow", "gtb"),
        ("[hosts.x]\ndeny = ['GBT']", "hosts.x: deny", "GBT"),
        ("[hosts.x]\ndeny = ['gbt', 'gbt']", "hosts.x: deny", "gbt"),
        ("[hosts.x]\nallow = ['cnn', 'gbt']\ndeny = ['gbt']", "hosts.x: allow, deny", "gbt"),
        ("[hosts.'../x']", "hosts.../x", "../x"),
        ("[hosts.'']", "hosts.", ""),
        ("[hosts]\nx = 3", "hosts.x", "object"),
        ("hosts = 3", "hosts", "object"),
        ("[jobs]\nfamily = 'gbt'", "jobs", "array"),
        ("jobs = [3]", "job 1", "object"),
        ("[host.x]", "host", "unknown field"),
        ("[[job]]", "job", "unknown field"),
    ],
)
def test_a_wrong_table_is_refused_where_it_stands(text: str, where: str, found: str) -> None:
    error = refusal(text)
    assert error.where == f"training_manifest.toml: {where}"
    assert found in error.found


@pytest.mark.parametrize(
    "content",
    [
        b"jobs = [",
        b"\xff\xfe",
        b"x = " + b"[" * 5_000,
        b"x = " + b"9" * 10_000,
        b"[[jobs]]\nfamily = 'a'\nfamily = 'b'",
    ],
)
def test_what_is_not_toml_is_refused(content: bytes) -> None:
    with pytest.raises(ConfigurationError, match="not TOML") as caught:
        parse_manifest(content, where="m.toml")
    assert caught.value.where == "m.toml"
    assert caught.value.found


def test_a_file_that_is_too_large_is_not_parsed() -> None:
    with pytest.raises(ConfigurationError, match="too large"):
        parse_manifest(b"#" * (LARGEST_BYTES + 1), where="m.toml")


def test_names_from_the_file_reach_no_terminal_raw() -> None:
    error = refusal('"\\u001b[2J" = 1\n')
    assert "\x1b" not in str(error)
    assert "[2J" in error.found
    error = refusal('[[jobs]]\nfamily = "\\u001b[31m"\nmode = "any"\nsplit = "x"\n')
    assert "\x1b" not in str(error)


def test_a_file_is_read_from_its_place(tmp_path: Path) -> None:
    path = tmp_path / "training_manifest.toml"
    path.write_text(FULL, "utf-8")
    assert load_manifest(path) == manifest(FULL)


@pytest.mark.parametrize("name", ["absent.toml", "."])
def test_a_file_that_cannot_be_read_is_refused_by_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot read the manifest") as caught:
        load_manifest(tmp_path / name)
    assert caught.value.where == str(tmp_path / name)


def test_the_manifest_of_the_guide_can_be_loaded() -> None:
    guide = (REPOSITORY / "deploy" / "WORKERS.md").read_text("utf-8")
    (example,) = (block.text for block in blocks_of(guide) if block.language == "toml")
    assert [job.request.family for job in manifest(example).jobs] == ["cnn"] * 3 + ["gbt"]
