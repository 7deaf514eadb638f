"""What is wrong with a query or a body, in words; never the values that were given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from bridge.language import Sentence, say

_SENTENCES: Mapping[str, Sentence] = {
    "bool_parsing": say("must be true or false"),
    "bool_type": say("must be true or false"),
    "enum": say("must be one of {bound}"),
    "extra_forbidden": say("is not known here"),
    "float_parsing": say("must be a number"),
    "float_type": say("must be a number"),
    "finite_number": say("must be a number"),
    "greater_than": say("must be more than {bound}"),
    "greater_than_equal": say("must be at least {bound}"),
    "int_from_float": say("must be a whole number"),
    "int_parsing": say("must be a whole number"),
    "int_parsing_size": say("must be a whole number"),
    "int_type": say("must be a whole number"),
    "json_invalid": say("is no JSON"),
    "less_than": say("must be less than {bound}"),
    "less_than_equal": say("must be at most {bound}"),
    "literal_error": say("must be one of {bound}"),
    "missing": say("is missing"),
    "model_attributes_type": say("must be an object"),
    "model_type": say("must be an object"),
    "string_pattern_mismatch": say("does not have the form that is wanted"),
    "string_too_long": say("is longer than {bound} characters"),
    "string_too_short": say("must not be empty"),
    "string_type": say("must be a text"),
}
"""By pydantic's type of error; ``bound`` is the first thing that it tells beside."""


def faults_of(error: ValidationError) -> list[dict[str, Any]]:
    """Return each fault: where it is, and what is wrong there."""
    return [
        {"where": ".".join(map(str, one["loc"])), "what": _said(one)}
        for one in error.errors(include_input=False, include_url=False)
    ]


def _said(error: ErrorDetails) -> str:
    told = error.get("ctx", {})
    if error["type"] == "value_error":
        sentence: str = told["error"].args[0]
        return sentence
    if error["type"] not in _SENTENCES:
        return error["msg"]
    bound = str(next(iter(told.values()), "")).replace(" or ", ", ")
    return _SENTENCES[error["type"]].filled_with(bound=bound)
