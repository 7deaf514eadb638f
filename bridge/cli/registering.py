"""Where a registration's fields come from: flags, a file, and on a terminal questions."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from bridge.cli.failure import tell
from bridge.cli.output import visible
from bridge.cli.tongue import spoken
from bridge.language import listed, say
from bridge.registration.choices import TRADES
from bridge.registration.fields import BY_NAME, FIELDS, FormField


def given_values(source: Path | None, flags: Mapping[str, Any]) -> dict[str, Any]:
    """Put together what was given; on a terminal, ask for what most registrations need.

    Questions are asked only where no file was named, and for nothing that was given.
    """
    values = dict(_from_file(source)) if source is not None else {}
    values |= {name: value for name, value in flags.items() if value is not None}
    if source is None and sys.stdin.isatty():
        _ask_for_the_rest(values)
    return values


def _from_file(source: Path) -> Mapping[str, Any]:
    from bridge.registration.template import NotToml, read

    try:
        found = read(source.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError:
        raise typer.BadParameter(
            say("{source} is not UTF-8 text", source=source), param_hint="--from"
        ) from None
    except NotToml as fault:
        raise typer.BadParameter(
            listed(" ", (str(source), fault.args[0])), param_hint="--from"
        ) from None
    # As JSON can say it, for operations may be asked for from elsewhere, too.
    return {name: value if _is_json(value) else str(value) for name, value in found.items()}


def _is_json(value: object) -> bool:
    return isinstance(value, str | bool | int | float | dict)


def _ask_for_the_rest(values: dict[str, Any]) -> None:
    group = None
    for field in FIELDS:
        if field.name in values or not (field.required or field.usual):
            continue
        if field.name == "sottotipo_cliente" and values.get("tipo_cliente") not in TRADES:
            continue
        if field.group is not group:
            group = field.group
            tell("")
            tell(group.value)
        values[field.name] = _ask(field, values)
    if values.get("sottotipo_cliente") == "X" and "sottotipo_cliente_altro" not in values:
        values["sottotipo_cliente_altro"] = _ask(BY_NAME["sottotipo_cliente_altro"], values)


def _ask(field: FormField, values: Mapping[str, Any]) -> str:
    """Ask until the answer can be read; nothing is a good answer where a field may be empty."""
    among = field.choices
    if field.name == "sottotipo_cliente":
        among = TRADES[str(values["tipo_cliente"])]
    if among:
        for code, meaning in among.items():
            tell(listed("", ("  ", code, ": ", meaning)))
    while True:
        hint = "" if field.required else say(" (empty if none)")
        answer = str(
            typer.prompt(
                spoken(listed("", (field.meaning, hint))),
                default="",
                show_default=False,
                err=True,
            )
        ).strip()
        if not answer and not field.required:
            return ""
        try:
            return str(field.read(answer))
        except ValueError as fault:
            tell(listed(" ", (visible(field.name), fault.args[0])))
