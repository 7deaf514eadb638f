"""Holds every answer against the OpenAPI description that is served, with validators not ours."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
from jsonschema import Draft202012Validator, FormatChecker

from bridge.web.contract.endpoint import BASE

PROBLEM = "application/problem+json"


class Described:
    """A description, to which answers are held.

    Objects may have no field that it does not name, though programs are told that more may come.
    """

    def __init__(self, description: Mapping[str, Any]) -> None:
        self.document = copy.deepcopy(dict(description))
        for name, schema in self.document["components"]["schemas"].items():
            if name != "Problem":
                schema["additionalProperties"] = False

    def operation(self, method: str, path: str) -> Mapping[str, Any] | None:
        """Return what is said of a request's path, None if nothing is."""
        for template, methods in self.document["paths"].items():
            pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template))
            if re.fullmatch(pattern, path):
                found: Mapping[str, Any] | None = methods.get(method.lower())
                return found
        return None

    def check(self, answer: httpx.Response) -> None:
        """Fail if an answer is not as described."""
        request = answer.request
        path = request.url.raw_path.decode().partition("?")[0]
        operation = self.operation(request.method, path)
        kind = answer.headers["Content-Type"]
        if answer.status_code >= 400:
            assert kind == PROBLEM
            self._fits({"$ref": "#/components/schemas/Problem"}, answer.json())
            assert answer.json()["status"] == answer.status_code
        if operation is None:
            assert answer.status_code in (403, 404, 405, 421)
            return
        assert path.startswith(BASE)
        said = operation["responses"][str(answer.status_code)]["content"][kind]
        if "schema" in said:
            self._fits(said["schema"], answer.json())

    def _fits(self, schema: Mapping[str, Any], value: object) -> None:
        whole = {**schema, "components": self.document["components"]}
        faults = [*_faults(whole, value)]
        assert not faults, (faults, value)


def _faults(schema: Mapping[str, Any], value: object) -> Iterator[str]:
    checker = Draft202012Validator(schema, format_checker=FormatChecker())
    for fault in checker.iter_errors(value):
        yield f"{fault.json_path}: {fault.message}"
