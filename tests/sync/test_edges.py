"""Who knows whom among sync's objects: nobody knows, by whatever way, who knows him.

``lint-imports`` and Python see to the imports. An object may know another without importing it: by
a function that it is given, by a Protocol, or by being written to.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import typing
from collections.abc import Callable, Iterator
from graphlib import CycleError, TopologicalSorter

import pytest

from tests.test_citations import SOURCES, tree_of

FILES = [path for path in SOURCES if path.parent.name == "sync" and path.stem != "__init__"]


def classes() -> dict[str, type]:
    """Return sync's classes by their names."""
    modules = [importlib.import_module(f"bridge.sync.{path.stem}") for path in FILES]
    return {
        name: one
        for module in modules
        for name, one in inspect.getmembers(module, inspect.isclass)
        if one.__module__ == module.__name__
    }


def is_protocol(one: type) -> bool:
    return bool(vars(one).get("_is_protocol"))


def within(kind: object) -> Iterator[object]:
    """Yield a type and those that it is made of."""
    yield kind
    for one in typing.get_args(kind):
        yield from within(one)


def given(one: type) -> list[object]:
    """Return the types of what an object is built of."""
    if is_protocol(one) or "__init__" not in vars(one):
        return []
    hints = typing.get_type_hints(vars(one)["__init__"])
    hints.pop("return", None)
    return [kind for hint in hints.values() for kind in within(hint)]


def built(tree: ast.Module, name: str) -> Iterator[str]:
    """Yield the names of the classes that a class builds for itself, to be kept."""
    (found,) = [one for one in tree.body if isinstance(one, ast.ClassDef) and one.name == name]
    for node in ast.walk(found):
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Attribute)
            and isinstance(node.value, ast.Call)
            and isinstance(node.value.func, ast.Name)
        ):
            yield node.value.func.id


def members(one: type) -> set[str]:
    return {name for name in dir(one) if not name.startswith("_")}


def stand_in(protocol: type, found: dict[str, type]) -> list[str]:
    """Return who may be meant by a Protocol of sync's own."""
    return [
        name
        for name, one in found.items()
        if not is_protocol(one) and members(protocol) <= members(one)
    ]


def edges(found: dict[str, type]) -> dict[str, set[str]]:
    """Return whom each of sync's classes knows."""
    trees = {f"bridge.sync.{path.stem}": tree_of(path) for path in FILES}
    known: dict[str, set[str]] = {}
    for name, one in found.items():
        kinds = [kind for kind in given(one) if kind in found.values()]
        tree = trees.get(one.__module__)
        names = {kind.__name__ for kind in kinds if isinstance(kind, type)}
        names |= {each for each in (built(tree, name) if tree else ()) if each in found}
        for protocol in [each for each in names if is_protocol(found[each])]:
            names.update(stand_in(found[protocol], found))
        known[name] = names
    return known


def test_no_object_knows_who_knows_it() -> None:
    known = edges(classes())
    assert (
        "AccountMemory" in known["Fetcher"] & known["Listing"] & known["Twins"] & known["Locator"]
    )
    assert {"Deletions", "Clearings"} <= known["Deleter"]
    order = list(TopologicalSorter(known).static_order())  # raises CycleError
    assert order.index("AccountMemory") < order.index("Rows") < order.index("AccountSync")


class One:
    def __init__(self, other: Other) -> None:
        self.other = other


class Other:
    def __init__(self, ones: list[One]) -> None:
        self.ones = ones


def test_a_circle_is_found() -> None:
    with pytest.raises(CycleError):
        list(TopologicalSorter(edges({"One": One, "Other": Other})).static_order())


PURE = ("Untaken",)
"""Who is given functions that belong to nobody."""


def test_nobody_is_given_a_function_in_place_of_who_has_it() -> None:
    function = typing.get_origin(Callable[[], None])
    takers = {
        name
        for name, one in classes().items()
        if any(function in (kind, typing.get_origin(kind)) for kind in given(one))
    }
    assert takers == {*PURE}


def written(tree: ast.Module) -> Iterator[str]:
    """Yield what a source writes into an object that it has from another."""
    for node in ast.walk(tree):
        targets = node.targets if isinstance(node, ast.Assign) else []
        targets = [node.target] if isinstance(node, ast.AugAssign | ast.AnnAssign) else targets
        for one in targets:
            if isinstance(one, ast.Attribute) and isinstance(one.value, ast.Attribute):
                yield ast.unparse(one)


def test_nobody_writes_what_is_anothers() -> None:
    tree = ast.parse("self._memory.live += 1\nself._live = 2\nself.a.b, self.c = 1, 2")
    assert list(written(tree)) == ["self._memory.live"]
    found = {path.stem: [*written(tree_of(path))] for path in FILES}
    assert {name: what for name, what in found.items() if what} == {}
