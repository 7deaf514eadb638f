"""JSON read leniently: nulls, numbers as texts, texts as lists. Knows no field's name."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

from bridge.api.items import Items, object_with_items
from bridge.charset.decode import decode_text
from bridge.language import say

T = TypeVar("T")

_SURROGATE = re.compile("[\ud800-\udfff]")
_EXACT_INT_DIGITS = 18


class UnreadableAnswer(ValueError):
    """The answer holds nothing that this operation could mean."""


def as_text(value: object) -> str:
    """Return whatever stands for a text as one that can be stored."""
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(as_text(item) for item in value)
    if not isinstance(value, str):
        value = json.dumps(value)
    return _SURROGATE.sub("\ufffd", value)


def as_whole(value: object) -> int | None:
    """Return whatever stands for a whole number as one, None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = int(value) if isinstance(value, int) else int(float(value))
    except (ValueError, OverflowError):
        return None
    return number if abs(number) < 10**_EXACT_INT_DIGITS else None


def as_truth(value: object) -> bool | None:
    """Return whatever stands for yes or no, None for anything else."""
    if isinstance(value, str):
        return {"true": True, "1": True, "false": False, "0": False, "": None}.get(
            value.strip().lower()
        )
    return bool(value) if isinstance(value, bool | int) else None


def as_code(value: object) -> str:
    """Return what stands for a code as text: a text or a whole number, nothing made into one."""
    if isinstance(value, str):
        return value.strip(" ")
    if value is None:
        return ""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if is_number else json.dumps(value)


Text = Annotated[str, BeforeValidator(as_text)]
Whole = Annotated[int | None, BeforeValidator(as_whole)]
Truth = Annotated[bool | None, BeforeValidator(as_truth)]


class Lenient(BaseModel):
    """An object whose nulls count as absent, and what nobody asks for as nothing."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: item for key, item in value.items() if item is not None}
        return value


def text_of(content: bytes) -> str:
    """Return an answer's text, in whatever charset it is."""
    return decode_text(content, "").text


def load_json(content: bytes) -> object:
    """Return what JSON says.

    Raises:
        UnreadableAnswer: it is none.
    """
    try:
        loaded: object = json.loads(text_of(content), parse_int=_int, parse_constant=str)
    except (ValueError, RecursionError) as error:
        raise UnreadableAnswer(say("the answer is not JSON")) from error
    return loaded


def load_items(
    text: str, name: str, made: Callable[[object], T]
) -> Items[tuple[object, list[T] | None]]:
    """Return what JSON says, an item at a time; see ``items.object_with_items``.

    Raises:
        UnreadableAnswer: it is none.
    """
    decoder = json.JSONDecoder(parse_int=_int, parse_constant=str)
    try:
        return (yield from object_with_items(text, name, made, decoder))
    except (ValueError, RecursionError) as error:
        raise UnreadableAnswer(say("the answer is not JSON")) from error


def _int(digits: str) -> int | str:
    """Keep an absurd number as its digits: it is an id, and Python refuses very long ones."""
    return int(digits) if len(digits) <= _EXACT_INT_DIGITS else digits
