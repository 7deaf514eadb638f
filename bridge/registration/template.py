"""A registration as TOML: the commented template, and the reading of a filled one.

Failure: ``NotToml`` with a sentence; whether its values are right is ``whole``'s to say.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping

from bridge.language import Language, said_in, say
from bridge.language.toml import not_toml
from bridge.registration.fields import FIELDS, FormField

_HEAD = say(
    """\
# Registration of a certified mailbox. Fill it in, then:
#
#   pec-bridge mailbox register --from THIS-FILE
#
# Lines that begin with # are comments: take the mark away from a field to use it. All is checked
# before anything is sent, and you are asked before it costs money.
"""
)
_REQUIRED, _USUAL, _OPTIONAL = say("required"), say("usually needed"), say("optional")
_EXAMPLE = say("such as {example}")


class NotToml(ValueError):
    """The file is no TOML with one value for each key."""


def template(language: Language) -> str:
    """Return a template with every field, its meaning, its choices and an example."""
    lines = [said_in(_HEAD, language)]
    group = None
    for field in FIELDS:
        if field.group is not group:
            group = field.group
            lines.append(f"\n# --- {said_in(group.value, language)}\n")
        lines.append(_entry(field, language))
    return "".join(lines)


def _entry(field: FormField, language: Language) -> str:
    need = _REQUIRED if field.required else _USUAL if field.usual else _OPTIONAL
    text = f"\n# {said_in(field.meaning, language)} ({said_in(need, language)})\n"
    if field.name == "sottotipo_cliente" or field.choices:
        text += "".join(
            f"#   {code}: {said_in(meaning, language)}\n" for code, meaning in field.choices.items()
        )
    mark = "" if field.required else "# "
    value = '""' if field.required else json.dumps(field.example, ensure_ascii=False)
    such = _EXAMPLE.filled_with(example=json.dumps(field.example, ensure_ascii=False))
    example = f"  # {said_in(such, language)}" if field.required else ""
    return f"{text}{mark}{field.name} = {value}{example}\n"


def read(text: str) -> Mapping[str, object]:
    """Read a filled template.

    Raises:
        NotToml: it is no TOML.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise NotToml(not_toml(error)) from None
