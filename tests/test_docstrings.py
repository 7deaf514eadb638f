"""Docstrings against the code: what a public function raises and takes is told; names are short.

A function is public if neither it nor what it stands in begins with an underscore. A class's
docstring speaks for its ``__init__``. What all functions of a class, module or package raise may be
told once, by it; who begins with "See" leaves it to the one that is named there. Commands of the
command line tell their parameters and failures where a person reads them, in their help.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.test_docs import TOP

Function = ast.FunctionDef | ast.AsyncFunctionDef
SOURCES = sorted((TOP / "bridge").rglob("*.py"))
NESTED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
MOST_WITHOUT_ARGS = 3
NAME_CHARS = 80
CANNOT_HAPPEN = {"AssertionError", "NotImplementedError"}
SECTION = re.compile(r"^(\w+):\n((?:[ \t]+.*\n|\n)*)", re.MULTILINE)
TOLD_LATER: tuple[str, ...] = ()
"""Packages whose docstrings are still to be completed by these rules."""


class Public(NamedTuple):
    """A public function, its name with what it stands in, and its docstring with those around."""

    name: str
    function: Function
    docstring: str
    around: str


def public(tree: ast.Module | ast.ClassDef, *above: ast.Module | ast.ClassDef) -> Iterator[Public]:
    """Yield the public functions of a source that have a docstring, or whose class has one."""
    around = (*above, tree)
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from public(node, *around)
        elif isinstance(node, Function) and is_told(node):
            docstring = ast.get_docstring(tree if node.name == "__init__" else node) or "See above."
            names = [one.name for one in around if isinstance(one, ast.ClassDef)]
            if not docstring.startswith("See "):
                told = "\n".join(ast.get_docstring(one) or "" for one in around)
                yield Public(".".join([*names, node.name]), node, docstring + "\n", told + "\n")


def is_told(node: Function) -> bool:
    is_public = node.name == "__init__" or not node.name.startswith("_")
    return is_public and not any(is_option(one) for one in parameters(node))


def parameters(node: Function) -> list[ast.arg]:
    every = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
    return [one for one in every if one.arg not in ("self", "cls")]


def is_option(one: ast.arg) -> bool:
    annotation = ast.unparse(one.annotation) if one.annotation else ""
    return annotation.startswith(("Annotated[", "option."))


def raised(nodes: list[ast.AST], caught: frozenset[str] = frozenset()) -> Iterator[str]:
    """Yield what is raised in statements and not caught there: a class's name, "" for a value.

    A bare ``raise`` passes on what somebody else's docstring tells.
    """
    for node in nodes:
        if isinstance(node, NESTED):
            continue
        if isinstance(node, ast.Raise):
            name = name_of(node.exc)
            if name is not None and name not in caught:
                yield name
        elif isinstance(node, ast.Try):
            here = {one for handler in node.handlers for one in classes(handler.type)}
            yield from raised([*node.body], caught | here)
            yield from raised([*node.handlers, *node.orelse, *node.finalbody], caught)
        else:
            yield from raised([*ast.iter_child_nodes(node)], caught)


def classes(caught: ast.expr | None) -> list[str]:
    """Return the names in an ``except`` clause."""
    several = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return [ast.unparse(one).split(".")[-1] for one in several if one is not None]


def name_of(exception: ast.expr | None) -> str | None:
    """Return the class that is raised, "" where a function or variable gives the exception."""
    if exception is None:
        return None
    called = exception.func if isinstance(exception, ast.Call) else exception
    name = ast.unparse(called).split(".")[-1]
    return None if name in CANNOT_HAPPEN else name if name[0].isupper() else ""


@cache
def bases() -> dict[str, list[str]]:
    """Return the base classes of every class of the bridge."""
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES)
    classes = (one for tree in trees for one in ast.walk(tree) if isinstance(one, ast.ClassDef))
    return {one.name: [ast.unparse(base) for base in one.bases] for one in classes}


def kinds(name: str) -> Iterator[str]:
    """Yield an exception's class and those above it, but for what everything is."""
    if name not in ("Exception", "BaseException", "object"):
        yield name
        known = getattr(builtins, name, None)
        for one in known.__mro__[1:] if known else bases().get(name, []):
            yield from kinds(getattr(one, "__name__", one))


def told_under(title: str, docstring: str) -> str:
    return "\n".join(text for name, text in SECTION.findall(docstring) if name == title)


def untold_errors(one: Public) -> set[str]:
    """Return what is raised and not told, "" for a value where nothing is told at all."""
    told = told_under("Raises", one.docstring + one.around)
    names = set(re.findall(r"^ +((?:[\w.]+, )*[\w.]+):", told, re.MULTILINE))
    names = {name.split(".")[-1] for several in names for name in several.split(", ")}
    found = set(raised([*one.function.body]))
    return {name for name in found if not (names & set(kinds(name)) if name else told)}


def untold_parameters(one: Public) -> set[str]:
    """Return the parameters that ``Args:`` lacks, none where there are too few to need it."""
    names = {parameter.arg for parameter in parameters(one.function)}
    told = told_under("Args", one.docstring)
    if not told:
        return names if len(names) > MOST_WITHOUT_ARGS else set()
    return {name for name in names if not re.search(rf"^ +(?:\w+, )*{name}\b", told, re.MULTILINE)}


def complete() -> Iterator[tuple[Path, Public]]:
    """Yield the public functions of the packages that keep these rules, with their files."""
    for path in SOURCES:
        package = ast.parse((path.parent / "__init__.py").read_text(encoding="utf-8"))
        told = ast.get_docstring(package) or ""
        if path.relative_to(TOP / "bridge").parts[0].removesuffix(".py") not in TOLD_LATER:
            for one in public(ast.parse(path.read_text(encoding="utf-8"))):
                yield path, one._replace(around=f"{one.around}{told}\n")


EXAMPLE = '''
"""A source.

Raises:
    StoreFailed: told once.
"""
class Shown:
    """One.

    Args:
        first, second: told.
        fourth: told.

    Raises:
        OSError: told.
    """
    def __init__(self, first, second, third, fourth):
        if first:
            raise ValueError("not told")
        if second:
            raise FileNotFoundError("told as what it is one of")
        if third:
            raise StoreFull("likewise")
        raise fault("a value is told by any entry")

    def caught(self):
        """Two."""
        def inner(): raise KeyError
        try:
            raise LookupError
        except LookupError:
            raise

def _private():
    """Three."""
    raise OSError

def command(a: Annotated[str, 1], b, c, d):
    """Four."""
    raise OSError

def see(a, b, c, d):
    """See ``Shown``."""
    raise OSError

async def bare(a, b, c, d):
    """Five."""
    raise httpx.ReadError from error
'''


def test_what_is_told_is_understood() -> None:
    found = {one.name: one for one in public(ast.parse(EXAMPLE))}
    assert list(found) == ["Shown.__init__", "Shown.caught", "bare"]
    assert [untold_errors(one) for one in found.values()] == [{"ValueError"}, set(), {"ReadError"}]
    assert [untold_parameters(one) for one in found.values()] == [{"third"}, set(), set("abcd")]


@pytest.mark.parametrize("untold", [untold_errors, untold_parameters])
def test_every_public_function_tells(untold: object) -> None:
    assert callable(untold)
    missing = {
        f"{path.relative_to(TOP)}:{one.function.lineno} {one.name}": names
        for path, one in complete()
        if (names := untold(one))
    }
    assert missing == {}


def test_packages_that_are_not_complete_yet_exist() -> None:
    for name in TOLD_LATER:
        assert (TOP / "bridge" / name).is_dir() or (TOP / "bridge" / f"{name}.py").is_file()


def test_names_of_tests_can_be_read_at_once() -> None:
    for path in sorted((TOP / "tests").rglob("*.py")):
        for name in re.findall(r"def (test_\w+)", path.read_text(encoding="utf-8")):
            assert len(name) < NAME_CHARS, path
