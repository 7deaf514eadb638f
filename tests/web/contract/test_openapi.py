"""The description: valid, whole, and what is served."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from openapi_spec_validator import OpenAPIV31SpecValidator

from bridge.web.contract.endpoint import ApiAccess
from bridge.web.contract.openapi import problems_of
from bridge.web.problem import ProblemKind
from tests.web.contract.conftest import Office

SOURCES = Path(__file__).parents[3] / "bridge" / "web"


async def test_what_is_served_is_a_valid_description_of_all_there_is(office: Office) -> None:
    answer = await office.program().get("/api/v1/openapi.json")
    described: Any = answer.json()
    OpenAPIV31SpecValidator(described).validate()
    told = {
        (method.upper(), path) for path, methods in described["paths"].items() for method in methods
    }
    assert told == {(one.method, f"/api/v1{one.path}") for one in office.contract.endpoints}
    assert described == json.loads(json.dumps(office.description()))


def test_each_name_is_one_endpoints(office: Office) -> None:
    names = [one.name for one in office.contract.endpoints]
    assert len(set(names)) == len(names)
    for one in office.contract.endpoints:
        assert set(one.parameters) == set(re.findall(r"\{(\w+)\}", one.path))
        assert (one.method == "GET") == (one.access is not ApiAccess.WRITE)


def test_every_kind_of_problem_is_somebodys(office: Office) -> None:
    described = {kind for one in office.contract.endpoints for kind in problems_of(one)}
    assert set(ProblemKind) - described == {ProblemKind.NOT_FOUND}  # of no endpoint
    names = [kind.value.name for kind in ProblemKind]
    assert len(set(names)) == len(names)


def test_every_kind_of_problem_is_raised_somewhere() -> None:
    text = "".join(
        path.read_text(encoding="utf-8")
        for path in SOURCES.rglob("*.py")
        if path.name not in ("problem.py", "openapi.py")
    )
    for kind in ProblemKind:
        assert f"ProblemKind.{kind.name}" in text
