"""The template: every field in it, and what it says when it is filled in or left as it is."""

from __future__ import annotations

import re
import tomllib
from datetime import date

import pytest

from bridge.registration.fields import FIELDS
from bridge.registration.template import NotToml, read, template
from bridge.registration.whole import check

TODAY = date(2026, 1, 15)


def test_it_is_toml_with_the_required_fields_empty() -> None:
    assert tomllib.loads(template("en")) == {one.name: "" for one in FIELDS if one.required}
    assert len(check(read(template("en")), TODAY).faults) == len(
        [1 for one in FIELDS if one.required]
    )


def test_every_field_is_in_it_with_meaning_and_choices() -> None:
    text = template("en")
    for field in FIELDS:
        assert re.search(rf"^(# )?{field.name} = ", text, re.MULTILINE)
        assert field.meaning in text
        for code, meaning in field.choices.items():
            assert f"#   {code}: {meaning}\n" in text


def test_filled_with_its_own_examples_it_can_be_sent() -> None:
    lines = [
        re.sub(r'= ""  # such as (.*)$', r"= \1", line.removeprefix("# "))
        if re.match(r"(# )?[a-z_]+ = ", line)
        else line
        for line in template("en").splitlines()
    ]
    filled = dict(read("\n".join(lines)))
    filled["sottotipo_cliente_altro"] = ""
    assert check(filled, TODAY).faults == ()


def test_what_is_no_toml_is_said_in_a_sentence() -> None:
    with pytest.raises(NotToml, match="is not TOML"):
        read("cap_titolare = 00187\n")
