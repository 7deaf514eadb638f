"""The OpenAPI 3.1 description, written from the endpoints and their shapes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from bridge import __version__
from bridge.web.contract.endpoint import BASE, ApiAccess, Endpoint
from bridge.web.contract.shapes import Problem
from bridge.web.problem import MEDIA_TYPE, ProblemKind

SCHEMAS = "#/components/schemas/{model}"
ANYWHERE = (
    ProblemKind.BAD_REQUEST,
    ProblemKind.METHOD,
    ProblemKind.TOO_SLOW,
    ProblemKind.TOO_LONG,
    ProblemKind.HOST,
    ProblemKind.FAILED,
    ProblemKind.STORE,
    ProblemKind.STARTING,
)
"""What may go wrong with any request."""
WITH_KEY = (ProblemKind.UNAUTHORIZED, ProblemKind.CLEAR)
WRITING = (ProblemKind.READ_ONLY, ProblemKind.FOREIGN)
ABOUT = (
    "What became of messages that were submitted by SMTP, what happened to them in order, and what "
    "is decided about them. See docs/erp.md. Fields may be added; those that are here stay."
)


def description(endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    """Return the description of endpoints."""
    models: dict[str, type[BaseModel]] = {
        one.__name__: one
        for each in endpoints
        for one in (each.body, each.answer, Problem)
        if one is not None
    }
    _, schemas = models_json_schema(
        [(models[name], "validation") for name in sorted(models)], ref_template=SCHEMAS
    )
    paths: dict[str, dict[str, Any]] = defaultdict(dict)
    for one in endpoints:
        paths[f"{BASE}{one.path}"][one.method.lower()] = _operation(one)
    return {
        "openapi": "3.1.0",
        "info": {"title": "pec-bridge", "version": __version__, "description": ABOUT},
        "paths": dict(paths),
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "`pec-bridge apikey create` makes one.",
                }
            },
        },
    }


def problems_of(endpoint: Endpoint) -> tuple[ProblemKind, ...]:
    """Return all that may go wrong with an endpoint."""
    kinds = [*ANYWHERE, *endpoint.problems]
    if endpoint.access is not ApiAccess.ANYBODY:
        kinds += WITH_KEY
    if endpoint.access is ApiAccess.WRITE:
        kinds += WRITING
    return tuple(one for one in ProblemKind if one in kinds)


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": endpoint.name,
        "summary": endpoint.about,
        "parameters": [*_path_parameters(endpoint), *_query_parameters(endpoint.query)],
        "responses": {"200": _answer(endpoint), **_problems(problems_of(endpoint))},
    }
    if endpoint.body is not None:
        operation["requestBody"] = {
            "required": bool(endpoint.body.model_json_schema().get("required")),
            "content": {"application/json": {"schema": _ref(endpoint.body)}},
        }
    if endpoint.access is not ApiAccess.ANYBODY:
        operation["security"] = [{"key": []}]
    return operation


def _path_parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": about,
            "schema": {"type": "string", "minLength": 1},
        }
        for name, about in endpoint.parameters.items()
    ]


def _query_parameters(model: type[BaseModel] | None) -> list[dict[str, Any]]:
    if model is None:
        return []
    whole = model.model_json_schema()
    inner = whole.get("$defs", {})
    return [
        {
            "name": name,
            "in": "query",
            "required": name in whole.get("required", ()),
            "description": schema.get("description", ""),
            "schema": _plain(schema, inner),
        }
        for name, schema in whole["properties"].items()
    ]


def _plain(schema: Mapping[str, Any], inner: Mapping[str, Any]) -> dict[str, Any]:
    """Return a parameter's schema by itself: what is left out is not null in a query."""
    there = {name: value for name, value in schema.items() if name not in ("description", "title")}
    if there.get("default", 0) is None:
        del there["default"]
    options = [one for one in there.pop("anyOf", ()) if one.get("type") != "null"]
    for one in options:
        there |= one
    if (named := there.pop("$ref", None)) is not None:
        there |= inner[named.rsplit("/", 1)[1]]
    return {name: value for name, value in there.items() if name not in ("description", "title")}


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": SCHEMAS.format(model=model.__name__)}


def _answer(endpoint: Endpoint) -> dict[str, Any]:
    content: dict[str, Any] = {}  # bytes need no schema
    if endpoint.media == "application/json":
        content = {
            "schema": {"type": "object"} if endpoint.answer is None else _ref(endpoint.answer)
        }
    return {"description": "As asked.", "content": {endpoint.media: content}}


def _problems(kinds: Sequence[ProblemKind]) -> dict[str, Any]:
    by_status: dict[int, list[ProblemKind]] = defaultdict(list)
    for kind in kinds:
        by_status[kind.value.status].append(kind)
    return {
        str(status): {
            "description": "; ".join(f"`{one.value.name}`: {one.value.meaning}" for one in several),
            "content": {
                MEDIA_TYPE: {
                    "schema": {
                        "allOf": [
                            _ref(Problem),
                            {"properties": {"type": {"enum": [one.uri for one in several]}}},
                        ]
                    }
                }
            },
        }
        for status, several in sorted(by_status.items())
    }
