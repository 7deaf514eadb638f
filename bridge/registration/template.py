"""A registration as TOML: the commented template, and the reading of a filled one.

Failure: ``NotToml`` with a sentence; whether its values are right is ``whole``'s to say.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping

from bridge.registration.fields import FIELDS, FormField

_HEAD = """\
# Registration of a certified mailbox. Fill it in, then:
#
#   pec-bridge mailbox register --from THIS-FILE
#
# Lines that begin with # are comments: take the mark away from a field to use it. All is checked
# before anything is sent, and you are asked before it costs money.
"""


class NotToml(ValueError):
    """The file is no TOML with one value for each key."""


def template() -> str:
    """Return a template with every field, its meaning, its choices and an example."""
    lines = [_HEAD]
    group = None
    for field in FIELDS:
        if field.group is not group:
            group = field.group
            lines.append(f"\n# --- {group.value}\n")
        lines.append(_entry(field))
    return "".join(lines)


def _entry(field: FormField) -> str:
    need = "required" if field.required else "usually needed" if field.usual else "optional"
    text = f"\n# {field.meaning} ({need})\n"
    if field.name == "sottotipo_cliente" or field.choices:
        text += "".join(f"#   {code}: {meaning}\n" for code, meaning in field.choices.items())
    mark = "" if field.required else "# "
    value = '""' if field.required else json.dumps(field.example, ensure_ascii=False)
    example = (
        f"  # such as {json.dumps(field.example, ensure_ascii=False)}" if field.required else ""
    )
    return f"{text}{mark}{field.name} = {value}{example}\n"


def read(text: str) -> Mapping[str, object]:
    """Read a filled template.

    Raises:
        NotToml: it is no TOML.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise NotToml(f"is not TOML: {error}") from None
