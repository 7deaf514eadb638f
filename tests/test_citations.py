"""What texts cite is there: oddities by their number, modules and what is in them by their name."""

from __future__ import annotations

import ast
import importlib
import io
import re
import tokenize
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

from bridge.config.values import TABLES
from tests.test_docs import TOP, texts

SOURCES = sorted((TOP / "bridge").rglob("*.py"))
TESTS = sorted((TOP / "tests").rglob("*.py"))
DOCUMENTS = [*sorted(TOP.glob("*.md")), *sorted(TOP.glob("docs/*.md"))]
QUIRKS = (TOP / "docs" / "quirks.md").read_text(encoding="utf-8")
SETTINGS = {".".join((*path, one)) for path, table in TABLES.items() for one in vars(table)}

ODDITY = re.compile(r"\bQ[1-9]\d*\b")
NUMBERED = re.compile(r"^\| ((?:<a id=\"q\d+\"></a>)+)\*\*(Q\d+(?:, Q\d+)*)\*\* ", re.MULTILINE)
IN_A_SOURCE = re.compile(r"``([A-Za-z_]\w*(?:\.\w+)+)(?:\([^`]*\))?``")
IN_A_DOCUMENT = re.compile(r"(?<!`)`([A-Za-z_]\w*(?:\.\w+)+)(?:\([^`]*\))?`(?!`)")
PATH = re.compile(r"(?<![\w/.-])((?:bridge|tests|docs)/[\w./-]*\w)")
CITING_COMMENT = re.compile(r"#.*(?:\bQ\d|``)")
EXAMPLE = re.compile(r"^    +(\w+) = ", re.MULTILINE)
FILE = re.compile(r".*\.(?:com|dat|db|eml|h|json|md|p7[ms]|pdf|py|toml|txt|xml)")


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def remarks(source: str) -> Iterator[str]:
    """Yield a source's comments that cite, its docstrings and other texts that stand alone."""
    if CITING_COMMENT.search(source):
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.COMMENT:
                yield token.string
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield str(node.value.value)


@cache
def said(path: Path) -> str:
    """Return what a file says to who reads it: a document as it is, a source's remarks."""
    text = path.read_text(encoding="utf-8")
    return "\n\n".join(remarks(text)) if path.suffix == ".py" else text


def numbers() -> list[str]:
    """Return the numbers that oddities have, in the document's order."""
    return [one for row in NUMBERED.findall(QUIRKS) for one in row[1].split(", ")]


def test_every_number_of_an_oddity_is_given_once_and_has_its_anchor() -> None:
    assert [one for one, times in Counter(numbers()).items() if times > 1] == []
    for anchors, given in NUMBERED.findall(QUIRKS):
        assert [f"Q{one}" for one in re.findall(r"q(\d+)", anchors)] == given.split(", ")
    assert len(re.findall("<a id=", QUIRKS)) == len(numbers()) > 20


def test_every_oddity_that_is_cited_is_in_the_list() -> None:
    for path in (*SOURCES, *TESTS, *DOCUMENTS):
        assert set(ODDITY.findall(said(path))) <= set(numbers()), path


def test_what_of_a_source_is_read_for_citations() -> None:
    source = 'CALL = "Q1"  # see Q2\ndef f():\n    """Q3."""\n    return "Q4"\n"""Q5."""\n'
    assert ODDITY.findall(" ".join(remarks(source))) == ["Q2", "Q5", "Q3"]


# -- modules, and what is in them ------------------------------------------------------------------


@cache
def module(name: str) -> ModuleType | None:
    """Return the module of that name, None if there is none."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


@cache
def classes() -> dict[str, set[str]]:
    """Return the members of every class of the bridge."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in SOURCES:
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.ClassDef):
                found[node.name] |= set(members(node))
    return found


def members(node: ast.ClassDef) -> Iterator[str]:
    """Yield the names of a class's methods, fields and attributes."""
    for one in ast.walk(node):
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef):
            yield one.name
        elif isinstance(one, ast.Attribute | ast.Name) and isinstance(one.ctx, ast.Store):
            yield one.attr if isinstance(one, ast.Attribute) else one.id


def is_there(name: str) -> bool:
    """Say whether a dotted name leads to a module, a class or something in one."""
    first, *rest = name.split(".")
    found: object = module(first)
    if found is None:
        return rest[0] in classes().get(first, ())
    for at, one in enumerate(rest):
        below = getattr(found, one, None) or module(".".join((first, *rest[: at + 1])))
        if below is None:
            return hasattr(found, one) or one in getattr(found, "__annotations__", ())
        found = below
    return True


def variables(path: Path) -> set[str]:
    """Return the names that a source has for objects of its own, in its examples too."""
    named = {node.id for node in ast.walk(tree_of(path)) if isinstance(node, ast.Name)}
    named |= {node.arg for node in ast.walk(tree_of(path)) if isinstance(node, ast.arg)}
    return named | set(EXAMPLE.findall(said(path)))


def is_unknown(name: str, package: str, own: set[str]) -> bool:
    """Say whether nothing is called so: in the bridge, near ``package`` or in a library.

    What begins with one of the source's own variables is not looked into, nor are files and words
    of a protocol.
    """
    if name.isupper() or FILE.fullmatch(name) or name.split(".")[0] in own:
        return False
    above = package.rpartition(".")[0] or package
    return not any(map(is_there, (f"bridge.{name}", f"{package}.{name}", f"{above}.{name}", name)))


@pytest.mark.parametrize(
    ("name", "unknown"),
    [
        ("mime.strict.content.convert", False),
        ("bridge.mime", False),
        ("content.convert", False),
        ("content.inverted", True),
        ("mime.parse", True),
        ("gone.at_all", True),
        ("SubmittedPart.walk", False),
        ("SubmittedPart.run", True),
        ("asyncio.CancelledError", False),
        ("daticert.xml", False),
        ("step.old", False),
    ],
)
def test_names_are_understood(name: str, unknown: bool) -> None:
    assert is_unknown(name, "bridge.mime.strict", {"step"}) is unknown


@pytest.mark.parametrize("sources", [SOURCES, TESTS], ids=["bridge", "tests"])
def test_every_module_that_a_source_names_exists(sources: list[Path]) -> None:
    for path in sources:
        package = ".".join(path.relative_to(TOP).parent.parts)
        named = set(IN_A_SOURCE.findall(said(path)))
        own = variables(path) if named else set()
        assert {one for one in named if is_unknown(one, package, own)} == set(), path


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_module_that_a_document_names_exists(path: Path) -> None:
    named = set(IN_A_DOCUMENT.findall(said(path))) - SETTINGS
    assert {one for one in named if is_unknown(one, "bridge", set())} == set()


def test_every_path_in_the_repository_that_is_named_exists() -> None:
    for path in (*DOCUMENTS, *SOURCES):
        told = texts(tree_of(path)) if path.suffix == ".py" else [said(path)]
        for named in (one for text in told for one in PATH.findall(text)):
            assert (TOP / named).exists(), f"{path}: {named}"
