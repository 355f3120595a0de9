"""What the source of the project must not have; every check is shown to find a planted fault."""

from pathlib import Path

import pytest

from cis490_pipeline_tests.architecture.source_checks import (
    LONGEST_FILE,
    LONGEST_FUNCTION,
    Check,
    future_annotations,
    no_docstring,
    prints,
    silent_tests,
    too_long,
    unsafe_loading,
)

REPOSITORY = Path(__file__).resolve().parents[2]
LIBRARY = sorted((REPOSITORY / "cis490_pipeline").rglob("*.py"))
TESTS = sorted((REPOSITORY / "cis490_pipeline_tests").rglob("*.py"))

# tests whose whole claim is that a reader gives an answer and raises nothing
NOTHING_IS_RAISED = {
    "cis490_pipeline_tests/episodes/test_archive.py: test_two_unknown_files_of_one_name_are_fine",
    "cis490_pipeline_tests/episodes/test_archive.py: test_directories_are_fine",
    "cis490_pipeline_tests/episodes/test_archive.py: test_mutated_tar_is_an_answer",
    "cis490_pipeline_tests/episodes/test_archive.py: "
    "test_header_with_a_valid_checksum_and_odd_fields_is_an_answer",
    "cis490_pipeline_tests/episodes/test_archive.py: test_mutated_compressed_bytes_are_an_answer",
    "cis490_pipeline_tests/episodes/test_archive.py: test_any_pax_payload_is_an_answer",
    "cis490_pipeline_tests/orchestration/test_graph.py: test_definitions_load_without_any_warning",
    "cis490_pipeline_tests/splits/test_recipes.py: "
    "test_every_key_of_a_store_can_be_parsed_or_the_host_is_refused",
}


def found_in(check: Check, paths: list[Path]) -> list[str]:
    return [
        f"{path.relative_to(REPOSITORY)}: {one}"
        for path in paths
        for one in check(path.read_text("utf-8"))
    ]


def test_there_is_something_to_check() -> None:
    assert len(LIBRARY) > 100
    assert len(TESTS) > 50


def test_no_annotations_from_the_future() -> None:
    assert found_in(future_annotations, [*LIBRARY, *TESTS]) == []


def test_nothing_in_the_library_runs_code_out_of_a_file() -> None:
    assert found_in(unsafe_loading, LIBRARY) == []


def test_every_module_and_package_says_what_it_is() -> None:
    assert found_in(no_docstring, LIBRARY) == []
    packages = {path.parent for path in LIBRARY}
    assert [p for p in packages if not (p / "__init__.py").is_file()] == []


def test_library_code_does_not_print() -> None:
    assert found_in(prints, LIBRARY) == []


def test_no_file_and_no_function_is_too_long() -> None:
    assert found_in(too_long, LIBRARY) == []
    assert found_in(too_long, TESTS) == []


def test_every_test_can_fail() -> None:
    paths = [path for path in TESTS if path.name.startswith("test_")]
    silent = {one.removesuffix(": asserts on nothing") for one in found_in(silent_tests, paths)}
    assert silent - NOTHING_IS_RAISED == set()


@pytest.mark.parametrize("name", ["README.md", "Makefile", "pyproject.toml", "constraints.txt"])
def test_the_repository_has_what_a_newcomer_looks_for(name: str) -> None:
    assert (REPOSITORY / name).stat().st_size > 100


@pytest.mark.parametrize("target", ["install", "smoke", "test", "ui"])
def test_the_makefile_has_the_target_and_the_help_names_it(target: str) -> None:
    text = (REPOSITORY / "Makefile").read_text("utf-8")
    assert f"\n{target}:" in text
    assert f"make {target} " in text


_LONG_FUNCTION = "def f():\n" + "    x = 1\n" * LONGEST_FUNCTION
_SECOND = "def g():\n    pass\n"

PLANTED: list[tuple[Check, str, str]] = [
    (future_annotations, "from __future__ import annotations\n", "line 1"),
    (future_annotations, "'''x'''\nfrom __future__ import division, annotations\n", "line 2"),
    (unsafe_loading, "import pickle\n", "imports pickle"),
    (unsafe_loading, "def f():\n    from pickle import loads\n", "line 2: imports pickle"),
    (unsafe_loading, "import json, joblib.numpy_pickle\n", "imports joblib"),
    (unsafe_loading, "np.load(p, allow_pickle=True)\n", "allow_pickle"),
    (unsafe_loading, "x = torch.load(p)\n", "torch.load"),
    (no_docstring, "import os\n'''too late'''\n", "no docstring"),
    (no_docstring, "", "no docstring"),
    (no_docstring, "''' '''\n", "no docstring"),
    (prints, "def f():\n    if x:\n        print('hello')\n", "line 3"),
    (too_long, "x = 1\n" * (LONGEST_FILE + 1), "401 lines"),
    (too_long, _SECOND + _LONG_FUNCTION, "f: 61 lines"),
    (too_long, "class A:\n" + "".join(f"  {x}\n" for x in _LONG_FUNCTION.splitlines()), "f: 61"),
    (silent_tests, "def test_x():\n    f()\n", "test_x"),
    (silent_tests, "class TestA:\n  async def test_x(self):\n    f()\n", "test_x"),
    (silent_tests, "def test_x():\n    checksummed(block)\n", "test_x"),
    (silent_tests, "def f():\n    g()\ndef test_x():\n    f()\n", "test_x"),
    (silent_tests, "def test_x():\n    test_x()\n", "test_x"),
    (silent_tests, "def test_x():\n    '''assert y'''  # assert z\n", "test_x"),
]


@pytest.mark.parametrize(("check", "source", "expected"), PLANTED)
def test_a_planted_fault_is_found(check: Check, source: str, expected: str) -> None:
    found = check(source)
    assert len(found) == 1
    assert expected in found[0]


SOUND: list[tuple[Check, str]] = [
    (future_annotations, "# from __future__ import annotations\nimport os\n"),
    (unsafe_loading, "import json\nimport safetensors.torch\nx = json.load(f)\n"),
    (unsafe_loading, "np.load(p, allow_pickle=False)\n"),
    (no_docstring, '"""What it is."""\n'),
    (prints, "console.print('x')\n'print('\nprint_table(x)\n"),
    (too_long, "x = 1\n" * LONGEST_FILE),
    (too_long, "def f():\n" + "    x = 1\n" * (LONGEST_FUNCTION - 1)),
    (too_long, "def f():\n    '''x" + "\n" * 40 + "    '''\n" + "    x = 1\n" * 59),
    (silent_tests, "def test_x():\n    assert y\n"),
    (silent_tests, "def test_x():\n    with pytest.raises(ValueError):\n        f()\n"),
    (silent_tests, "def test_x():\n    np.testing.assert_array_equal(a, b)\n"),
    (silent_tests, "def f():\n    assert y\ndef test_x():\n    f()\n"),
    (silent_tests, "def helper():\n    f()\n"),
]


@pytest.mark.parametrize(("check", "source"), SOUND)
def test_sound_source_is_left_alone(check: Check, source: str) -> None:
    assert check(source) == []
