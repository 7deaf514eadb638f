"""What the project asks for and how it is checked: bounds, pinned versions, and the same checks."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.test_docs import PROJECT, TOP

DATA = {"certifi", "tzdata"}
"""Needed in whatever version: the newest is the only right one."""
CI = (TOP / ".ci" / "run").read_text(encoding="utf-8")
CONTRIBUTING = (TOP / "CONTRIBUTING.md").read_text(encoding="utf-8")
HOOKS = (TOP / ".pre-commit-config.yaml").read_text(encoding="utf-8")


def asked_for() -> Iterator[Requirement]:
    project = PROJECT["project"]
    for listed in (project["dependencies"], *project["optional-dependencies"].values()):
        yield from map(Requirement, listed)


REQUIREMENTS = {one.name: one for one in asked_for() if one.name not in DATA}
PINNED = {
    canonicalize_name(name): version
    for name, version in re.findall(
        r"^([\w.-]+)==(\S+)$", (TOP / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE
    )
}


@pytest.mark.parametrize("name", REQUIREMENTS)
def test_every_dependency_has_an_upper_bound_and_a_tried_version_below_it(name: str) -> None:
    bounds = REQUIREMENTS[name].specifier
    assert {one.operator for one in bounds} == {">=", "<"}
    assert PINNED[canonicalize_name(name)] in bounds


HOLES = {
    "aiosmtpd": ("1.4.6", "CVE-2024-34083, commands before STARTTLS; CVE-2024-27305, smuggling"),
    "certifi": ("2024.7.4", "CVE-2024-39689, an authority that is trusted no more"),
    "cryptography": ("46.0.5", "CVE-2026-26007, points of small subgroups"),
    "h11": ("0.16.0", "CVE-2025-43859, request smuggling by bad chunks"),
    "httpcore": ("1.0.9", "the first that asks for such an h11"),
    "idna": ("3.7", "CVE-2024-3651, time without end for long names"),
    "jinja2": ("3.1.6", "CVE-2025-27516, a way out of the sandbox"),
    "pydantic": ("2.4.0", "CVE-2024-3772, an expression on e-mail addresses without end"),
    "pypdf": ("6.7.5", "CVE-2025-55197, CVE-2025-62707 and others, memory and time without end"),
    "starlette": ("0.49.1", "CVE-2025-62727, time without end for a Range field"),
}
"""The version that closed the last hole that is known to us, and which; of packages that we need.

What came to be known later than this was written is pip-audit's to say, where it answers.
"""


@pytest.mark.parametrize("name", HOLES)
def test_no_version_with_a_known_hole_is_taken(name: str) -> None:
    (needed,) = [one for one in PROJECT["project"]["dependencies"] if Requirement(one).name == name]
    (least,) = [one.version for one in Requirement(needed).specifier if one.operator == ">="]
    assert Version(least) >= Version(HOLES[name][0])


def test_constraints_hold_nothing_but_versions() -> None:
    lines = (TOP / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert len([line for line in lines if not line.startswith("#")]) == len(PINNED)


@pytest.mark.parametrize(
    "check", re.findall(r"^ +entry: (.+)$", HOOKS, re.MULTILINE), ids=lambda check: check[10:]
)
def test_what_is_checked_before_a_commit_is_checked_by_ci(check: str) -> None:
    assert check in CI.splitlines()


@pytest.mark.parametrize(
    "command", ["pytest", "ruff", "mypy --strict bridge tests", "lint-imports"]
)
def test_every_check_is_explained(command: str) -> None:
    assert f".venv/bin/{command}" in CI
    assert f"`.venv/bin/{command}" in CONTRIBUTING


KINDS = {one["directory"]: one["name"] for one in PROJECT["tool"]["towncrier"]["type"]}
NEWS = [one for one in (TOP / "docs" / "changes").iterdir() if one.name != "README.md"]


def test_news_are_files_that_the_release_finds_and_a_user_reads() -> None:
    for path in NEWS:
        text = path.read_text(encoding="utf-8")
        named = re.fullmatch(r"\+[a-z0-9-]+\.([a-z]+)\.md", path.name)
        assert named is not None, path
        assert named[1] in KINDS, path
        assert re.fullmatch(r"[^\s#*-].{20,}\.\n", text, re.DOTALL), path


def test_the_changelog_has_the_place_and_the_kinds_of_news() -> None:
    changelog = (TOP / "CHANGELOG.md").read_text(encoding="utf-8")
    assert changelog.count(PROJECT["tool"]["towncrier"]["start_string"]) == 1
    assert set(re.findall(r"^### (\w+)", changelog, re.MULTILINE)) <= set(KINDS.values())
