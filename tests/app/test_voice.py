"""Where notices say that the page is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.app.voice import voice_of
from bridge.config import Account, Api, Config, Display, Listen, Receipts, SecretSource, Web
from bridge.language import Voice
from bridge.net.listening import Listener, Listening

NOWHERE = SecretSource(env="UNUSED")


def config(web: Web) -> Config:
    return Config(
        api=Api(token=NOWHERE, base_url="https://api.invalid"),
        account=(Account(address="a@pec.example", password=NOWHERE),),
        web=web,
        display=Display(language="it"),
    )


def listening(host: str = "127.0.0.1", port: int = 1180) -> Listening:
    return Listening((Listener("http", host, port, "none"),), "", (), "")


@pytest.mark.parametrize(
    ("web", "up", "page"),
    [
        (Web(), listening(), "http://127.0.0.1:1180"),
        (Web(listen=(Listen("127.0.0.1", 0),)), listening(port=40_000), "http://127.0.0.1:40000"),
        (Web(url="https://pec.example.it/posta/"), listening(), "https://pec.example.it/posta"),
        (
            Web(listen=(Listen("0.0.0.0", 1180),), hosts=("pec.example.it",)),
            listening("0.0.0.0"),
            "http://pec.example.it:1180",
        ),
        (Web(listen=(Listen("0.0.0.0", 1180),)), listening("0.0.0.0"), "http://127.0.0.1:1180"),
        (Web(listen=()), Listening((), "", (), ""), ""),
    ],
    ids=["usual", "any port", "behind a proxy", "by name", "no name", "no page"],
)
def test_the_page_is_where_the_settings_or_the_listener_say(
    web: Web, up: Listening, page: str
) -> None:
    assert voice_of(config(web), up) == Voice("it", page)


def test_notices_are_marked_as_the_settings_say() -> None:
    marking = replace(config(Web()), receipts=Receipts(mark="flag"))
    assert voice_of(marking, listening()).mark == "flag"
