"""What mail programs ask before anybody has logged in: the same for every address."""

from __future__ import annotations

import plistlib
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from bridge.net.listening import Listener, Listening
from tests.operations.test_autodiscover import REQUEST
from tests.web.conftest import ANNA, BRUNO, STATUS, Site

AUTOCONFIG = ("/mail/config-v1.1.xml", "/.well-known/autoconfig/mail/config-v1.1.xml")
LISTENERS = (
    Listener("imap", "127.0.0.1", 1143, "starttls"),
    Listener("imap", "0.0.0.0", 993, "implicit"),
    Listener("smtp", "0.0.0.0", 587, "starttls"),
)
SERVERS = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"
STRANGER = "192.0.2.7"


def listen(made: Site, *listeners: Listener) -> None:
    made.services.listening = Listening(listeners, "https://api.invalid", (ANNA,), "AA")


@pytest.mark.parametrize("path", AUTOCONFIG)
async def test_autoconfig_is_the_same_for_every_address(made: Site, path: str) -> None:
    listen(made, *LISTENERS)
    stranger = made.browser(peer=STRANGER)
    answers = [
        await stranger.get(path, params={"emailaddress": one})
        for one in (ANNA, "nessuno@pec.example")
    ]
    assert [one.status_code for one in answers] == [200, 200]
    assert answers[0].content == answers[1].content
    assert answers[0].headers["content-type"].startswith("application/xml")
    root = ET.fromstring(answers[0].content)
    assert [one.findtext("port") for one in root.iter() if one.findtext("port")] == ["993", "587"]
    assert (await stranger.get(path)).status_code == 200


async def test_who_cannot_reach_a_server_is_not_told_of_it(made: Site) -> None:
    listen(made, Listener("imap", "127.0.0.1", 1143, "starttls"), LISTENERS[2])
    for path in (*AUTOCONFIG, f"/mail/pec.mobileconfig?emailaddress={ANNA}"):
        assert (await made.browser(peer=STRANGER).get(path)).status_code == 404
        assert (await made.browser().get(path)).status_code == 200
    asked = await made.browser(peer=STRANGER).post(
        "/autodiscover/autodiscover.xml", content=REQUEST
    )
    assert asked.status_code == 404


async def test_before_it_listens_programs_come_again(made: Site) -> None:
    assert (await made.browser().get(AUTOCONFIG[0])).status_code == 503


@pytest.mark.parametrize(
    "path", ["/autodiscover/autodiscover.xml", "/Autodiscover/Autodiscover.xml"]
)
async def test_outlook_asks_in_xml(made: Site, path: str) -> None:
    listen(made, *LISTENERS)
    answer = await made.browser(peer=STRANGER).post(
        path, content=REQUEST, headers={"Content-Type": "text/xml"}
    )
    assert answer.status_code == 200
    found = ET.fromstring(answer.content).iter(f"{{{SERVERS}}}Server")
    assert len(list(found)) == 2
    assert (await made.browser().get(path)).status_code == 405


async def test_outlook_is_told_what_is_wrong_with_its_request(made: Site) -> None:
    listen(made, *LISTENERS)
    answer = await made.browser().post(
        "/autodiscover/autodiscover.xml", content="<!DOCTYPE a []><a/>"
    )
    assert answer.status_code == 200
    assert ET.fromstring(answer.content).find(".//{*}ErrorCode").text == "600"  # type: ignore[union-attr] # found or not


@pytest.mark.parametrize(
    "path",
    [
        "/autodiscover/autodiscover.json?Email=a@b.it&Protocol=AutodiscoverV1",
        "/AutoDiscover/AutoDiscover.json/v1.0/a@b.it?protocol=Autodiscoverv1",
    ],
)
async def test_outlook_asks_in_json_where_the_xml_is(made: Site, path: str) -> None:
    answer = await made.browser(peer=STRANGER).get(path)
    url = "http://127.0.0.1:1180/autodiscover/autodiscover.xml"
    assert answer.json() == {"Protocol": "AutodiscoverV1", "Url": url}
    assert (await made.browser().get(path.partition("?")[0])).status_code == 400


async def test_a_telephone_asks_for_a_profile(made: Site) -> None:
    listen(made, *LISTENERS)
    answer = await made.browser(peer=STRANGER).get(
        "/mail/pec.mobileconfig", params={"emailaddress": BRUNO}
    )
    assert answer.headers["content-type"] == "application/x-apple-aspen-config"
    profile = plistlib.loads(answer.content)
    assert profile["PayloadContent"][0]["EmailAddress"] == BRUNO
    for wrong in ("", "x", "a b@c.it"):
        params = {"emailaddress": wrong}
        assert (
            await made.browser().get("/mail/pec.mobileconfig", params=params)
        ).status_code == 400


# -- on the page ---------------------------------------------------------------------------------


def status() -> dict[str, Any]:
    return STATUS | {
        "accounts": [{"address": one} for one in (ANNA, BRUNO)],
        "listeners": [{"protocol": one.protocol, **one.as_json()} for one in LISTENERS],
        "tls": {"fingerprint": "AA"},
    }


@pytest.mark.parametrize("form", ["thunderbird", "outlook", "apple", "srv"])
async def test_who_has_logged_in_downloads_their_own(made: Site, form: str) -> None:
    made.done.answers["status"] = lambda _arguments: status()
    browser = await made.anna()
    link = f"/setup/servers?form={form}&amp;account=anna%40pec.example"
    assert link in (await browser.get("/setup")).text
    answer = await browser.get(link.replace("&amp;", "&"))
    assert answer.status_code == 200
    assert "attachment" in answer.headers["content-disposition"]
    assert b"993" in answer.content


@pytest.mark.parametrize(
    "query", [f"form=srv&account={BRUNO}", f"form=x&account={ANNA}", "form=srv&account=x@y.it"]
)
async def test_and_nobody_elses(made: Site, query: str) -> None:
    made.done.answers["status"] = lambda _arguments: status()
    assert (await (await made.anna()).get(f"/setup/servers?{query}")).status_code == 404
    assert (await made.browser().get(f"/setup/servers?{query}")).status_code == 303
