"""Checks on source text that the linters do not make; each returns what it found, as sentences.

Not here: layers and forbidden imports between packages (import-linter), style (ruff).
"""

import ast
import re
from collections.abc import Callable, Iterator
from typing import Final

LONGEST_FILE: Final = 400
LONGEST_FUNCTION: Final = 60
_UNSAFE_MODULES: Final = frozenset(
    {"pickle", "_pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
)
_CHECKER: Final = re.compile(r"_*(assert|check|require|expect)(_|$|[A-Z])")
_RAISERS: Final = frozenset({"raises", "warns", "fail"})

Check = Callable[[str], list[str]]
_Function = ast.FunctionDef | ast.AsyncFunctionDef


def _functions(source: str) -> Iterator[_Function]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, _Function):
            yield node


def future_annotations(source: str) -> list[str]:
    """With Dagster 1.13 they break ``context:`` annotations and ``dg.Config``."""
    return [
        f"line {node.lineno}: from __future__ import annotations"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom)
        and node.module == "__future__"
        and any(name.name == "annotations" for name in node.names)
    ]


def unsafe_loading(source: str) -> list[str]:
    """Whatever would run code out of a file that it reads."""
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        found += [f"line {line}: {what}" for line, what in _unsafe(node)]
    return found


def _unsafe(node: ast.AST) -> Iterator[tuple[int, str]]:
    match node:
        case ast.Import(names=names):
            modules = [name.name for name in names]
        case ast.ImportFrom(module=str(module)):
            modules = [module]
        case ast.Call(func=ast.Attribute(value=ast.Name(id="torch"), attr="load")):
            yield node.lineno, "torch.load"
            return
        case ast.keyword(arg="allow_pickle", value=ast.Constant(value=True)):
            yield node.value.lineno, "allow_pickle=True"
            return
        case _:
            return
    for module in modules:
        if module.split(".")[0] in _UNSAFE_MODULES:
            yield node.lineno, f"imports {module}"


def no_docstring(source: str) -> list[str]:
    """A module opens with what it is."""
    text = ast.get_docstring(ast.parse(source))
    return [] if text and text.strip() else ["the module has no docstring"]


def prints(source: str) -> list[str]:
    """Library code returns; the edges speak."""
    return [
        f"line {node.lineno}: print("
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
    ]


def too_long(source: str) -> list[str]:
    """Files end at 400 lines, functions (with decorators, without the docstring) at 60."""
    n_lines = len(source.splitlines())
    found = [f"{n_lines} lines"] if n_lines > LONGEST_FILE else []
    for node in _functions(source):
        first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
        length = (node.end_lineno or first) - first + 1 - _docstring_lines(node)
        if length > LONGEST_FUNCTION:
            found.append(f"{node.name}: {length} lines")
    return found


def _docstring_lines(node: _Function) -> int:
    opening = node.body[0]
    if ast.get_docstring(node) is None or opening.end_lineno is None:
        return 0
    return opening.end_lineno - opening.lineno + 1


def silent_tests(source: str) -> list[str]:
    """A test that asserts on nothing cannot fail.

    What counts: an ``assert``, ``raises``/``warns``/``fail`` of pytest, a call of something named
    ``assert_…``, ``check_…``, ``require_…`` or ``expect_…``, or of a function of the same file
    that does one of these.
    """
    functions = {node.name: node for node in _functions(source)}
    return [
        f"{name}: asserts on nothing"
        for name, node in functions.items()
        if name.startswith("test") and not _asserts(node, functions, frozenset())
    ]


def _asserts(node: _Function, functions: dict[str, _Function], seen: frozenset[str]) -> bool:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Assert):
            return True
        if not isinstance(inner, ast.Call):
            continue
        name = _name_of(inner.func)
        if name in _RAISERS or _CHECKER.match(name):
            return True
        called = functions.get(name)
        if called is not None and name not in seen and _asserts(called, functions, seen | {name}):
            return True
    return False


def _name_of(function: ast.expr) -> str:
    match function:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""
