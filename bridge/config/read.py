"""TOML text to ``Config``; whatever is wrong with it is found in one go.

Failure: ``ConfigError`` with every fault, each with file, line and key and a sentence; a value
is quoted only where it cannot be a secret.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn, TypeVar, get_args

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from bridge.config.across import across
from bridge.config.fault import ConfigError, ConfigFault, Rest
from bridge.config.lines import Key, find_lines
from bridge.config.places import usual_files
from bridge.config.pointers import SECRETS, pointers
from bridge.config.values import TABLES, Config, Display, SecretSource
from bridge.language import LanguageSetting, Sentence, say
from bridge.language.toml import not_toml
from bridge.net.listen import Listen

T = TypeVar("T")

_SENTENCES: Mapping[str, Sentence] = {
    "bool_type": say("must be true or false"),
    "dataclass_type": say("must be a table"),
    "finite_number": say("must be a number"),
    "float_type": say("must be a number"),
    "greater_than": say("must be more than {bound}"),
    "greater_than_equal": say("must be at least {bound}"),
    "int_from_float": say("must be a whole number"),
    "int_type": say("must be a whole number"),
    "less_than": say("must be less than {bound}"),
    "less_than_equal": say("must be at most {bound}"),
    "missing": say("is missing"),
    "path_type": say("must be a path in quotes"),
    "string_too_short": say("must not be empty"),
    "string_type": say("must be text in quotes"),
    "tuple_type": say("must be a list in brackets"),
}


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """Settings and where each of them stands; relative paths count from ``folder``."""

    config: Config
    name: str
    lines: Mapping[Key, int]
    folder: Path = Path(os.sep)

    def where(self, *key: str | int) -> str:
        """Return "file:line: key" for a setting, for a fault that shows only in use."""
        return _where(self.name, self.lines, key)


def find_file(given: Path | None, environment: Mapping[str, str]) -> Path:
    """Return the file to read: as given, else from the environment, else a usual place.

    Raises:
        ConfigError: none of them exists.
    """
    if given is not None:
        return given
    if named := environment.get("PEC_BRIDGE_CONFIG"):
        return Path(named)
    places = usual_files(environment)
    for place in places:
        if place.is_file():
            return place
    looked = ", ".join(map(str, places))
    raise ConfigError(
        (
            ConfigFault(
                "",
                say(
                    "There is no configuration ({looked}); name one with --config FILE.",
                    looked=looked,
                ),
            ),
        )
    )


def language_of(path: Path) -> LanguageSetting:
    """Return the language that a file wants, also where it has faults or is no TOML."""
    try:
        text = path.read_bytes().decode("utf-8-sig", "replace")
    except OSError:
        return "en"
    found = _LANGUAGE.search(text)
    languages: tuple[LanguageSetting, ...] = get_args(LanguageSetting)
    wanted = found[1] if found else Display().language
    return next((one for one in languages if one == wanted), Display().language)


_LANGUAGE = re.compile(r"""(?m)^[ \t]*(?:display\.)?language[ \t]*=[ \t]*["'](\w+)["']""")
"""The setting, as it is mostly written: no other table has one of its name."""


def load(path: Path, *, accounts: bool = True) -> ConfigFile:
    """Read the settings in ``path``; relative paths in it count from its folder.

    ``accounts`` False takes a file without any: one begins with no mailbox.

    Raises:
        ConfigError: it cannot be read, or anything in it is wrong.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(
            (ConfigFault(str(path), say("cannot be read: {strerror}", strerror=error.strerror)),)
        ) from None
    except UnicodeDecodeError:
        raise ConfigError((ConfigFault(str(path), say("is not UTF-8 text")),)) from None
    return parse(text, name=str(path), folder=path.resolve().parent, accounts=accounts)


def parse(
    text: str, *, name: str = "config", folder: Path = Path(), accounts: bool = True
) -> ConfigFile:
    """Read settings from TOML ``text``.

    Args:
        text: the TOML.
        name: what to call it in faults.
        folder: what relative paths in it start from.
        accounts: whether there must be one.

    Raises:
        ConfigError: anything in it is wrong.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError((ConfigFault(name, not_toml(error)),)) from None
    lines = find_lines(text.replace("\r\n", "\n"))
    if not accounts:
        document.setdefault("account", [])
    found: list[tuple[Key, str]] = []
    config: Config | None = None
    try:
        # As JSON, because strict rules take lists for tuples and tables for values only there.
        config = TypeAdapter(Config).validate_json(json.dumps(document, default=_refuse))
    except ValidationError as error:
        details = error.errors(include_input=False, include_url=False)
        found += ((detail["loc"], _sentence(detail)) for detail in details)
    except _NotJson as error:
        found.append(((), error.args[0]))
    found += across(document, accounts)
    if config is None or found:
        found.sort(key=lambda fault: _line(lines, fault[0]) or 0)
        faults = (ConfigFault(_where(name, lines, key), sentence) for key, sentence in found)
        rest = Rest(
            anchored(pointers(document), folder), lambda *key: _where(name, lines, key), folder
        )
        raise ConfigError(tuple(dict.fromkeys(faults)), rest)
    return ConfigFile(anchored(config, folder), name, lines, folder)


class _NotJson(Exception):
    """A TOML date or time, which no setting is."""


def _refuse(value: object) -> NoReturn:
    raise _NotJson(say("has a date or time ({value}), which no setting is", value=value))


def _line(lines: Mapping[Key, int], key: Key) -> int | None:
    """Return the line of ``key``, or of the closest table around it."""
    return next((lines[key[:end]] for end in range(len(key), 0, -1) if key[:end] in lines), None)


def _where(name: str, lines: Mapping[Key, int], key: Key) -> str:
    shown = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in key)
    line = _line(lines, key)
    place = name if line is None else f"{name}:{line}"
    return f"{place}: {shown.lstrip('.')}" if key else place


def _sentence(error: ErrorDetails) -> str:
    """Say what is wrong with one setting; its value is never quoted, it may be a secret."""
    kind, context = error["type"], error.get("ctx", {})
    key = tuple(part for part in error["loc"] if isinstance(part, str))
    if kind == "unexpected_keyword_argument":
        return _unknown(key)
    if kind == "dataclass_type" and key[-1:] and key[-1] in SECRETS:
        return say('must say where the secret is, such as { file = "/etc/pec-bridge/token" }')
    if kind == "value_error":
        sentence: str = context["error"].args[0]
        return sentence
    if kind in ("literal_error", "enum"):
        return say("must be one of {expected}", expected=context["expected"].replace(" or ", ", "))
    if kind not in _SENTENCES:
        return error["msg"]
    return _SENTENCES[kind].filled_with(bound=next(iter(context.values()), ""))


def _unknown(key: tuple[str, ...]) -> str:
    table = SecretSource if key[-2:-1] and key[-2] in SECRETS else TABLES.get(key[:-1])
    names = [field.name for field in dataclasses.fields(table)] if table else []
    close = get_close_matches(key[-1], names, n=1)
    if close:
        return say("is not a setting; did you mean {close}?", close=close[0])
    return say("is not a setting; there are {names}", names=", ".join(names))


def anchored(settings: T, folder: Path) -> T:
    """Return ``settings`` with every relative path made to start from ``folder``."""

    def anchor(value: Any) -> Any:
        if isinstance(value, Path):
            return folder / value
        if isinstance(value, tuple):
            return tuple(map(anchor, value))
        if dataclasses.is_dataclass(value) and not isinstance(value, type | Listen):
            fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
            return dataclasses.replace(
                value, **{name: anchor(item) for name, item in fields.items()}
            )
        return value

    result: T = anchor(settings)
    return result
