from __future__ import annotations

import base64
import html
import json
import re
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.api.redaction import redact

SECRETS = ["correct horse", "p&w<\"'/>+%=", "parolà-Ünï", "x1/y2+z3~", "0123456789abcdef"]


def test_every_secret_is_masked_the_longest_first() -> None:
    assert redact("pw=abcdef, abc, x", ("abc", "abcdef", "")) == "pw=***, ***, x"


FORMS = {
    "as it is": lambda text: text,
    "JSON": json.dumps,
    "JSON in UTF-8": lambda text: json.dumps(text, ensure_ascii=False),
    "JSON of PHP": lambda text: json.dumps(text).replace("/", "\\/"),
    "HTML": html.escape,
    "HTML, PHP's": lambda text: html.escape(text).replace("&#x27;", "&#039;"),
    "HTML, quotes left": lambda text: html.escape(text, quote=False),
    "XML": lambda text: html.escape(text).replace("&#x27;", "&apos;"),
    "a path": quote,
    "a query": quote_plus,
    "all escaped": lambda text: quote(text, safe=""),
    "escaped in small letters": lambda text: re.sub(
        "%..", lambda found: found[0].lower(), quote(text, safe="")
    ),
}


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_a_secret_is_masked_in_each_form(form: object, secret: str) -> None:
    assert callable(form)
    shown = redact(f"you sent [{form(secret)}], wrong", (secret,))
    assert shown.strip('"') in ("you sent [***], wrong", 'you sent ["***"], wrong')


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_alone_in_base64_is_masked(encode: object, secret: str) -> None:
    assert callable(encode)
    text = encode(secret.encode()).decode()
    assert redact(f"[{text}] [{text.rstrip('=')}]", (secret,)) == "[***] [***]"


@given(name=st.text(max_size=20), secret=st.text(min_size=6, max_size=30), tail=st.binary())
def test_a_secret_behind_a_name_in_base64_cannot_be_read(
    name: str, secret: str, tail: bytes
) -> None:
    encoded = base64.b64encode(f"{name}:{secret}".encode() + tail).decode()
    left = redact(f"Authorization: Basic {encoded}", (secret,)).partition("Basic ")[2]
    before, mask, _ = left.partition("***")
    assert mask
    read = base64.b64decode(before + "A" * (-len(before) % 4)).decode("utf-8", "replace")
    assert secret not in read


def test_an_answer_without_secrets_stays_as_it_is() -> None:
    text = "Il destinatario non esiste (codice 42): cGFyb2xh &amp; %20"
    assert redact(text, ("another one", "a")[:1]) == text
