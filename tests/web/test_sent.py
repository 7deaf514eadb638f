"""What was sent, as the page shows it: whose it is, what foreign words may do, what buttons do."""

from __future__ import annotations

import base64
import re
from datetime import timedelta
from typing import Any

import pytest

from bridge.operations.control import OperationFailed
from tests.web.conftest import ANNA, BRUNO, Site
from tests.web.test_entrance import set_administrator

AT = "2026-01-15T08:30:00.000Z"
ATTACKS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7*7 }}",
    "javascript:alert(1)",
    "</textarea></title><svg onload=alert(1)>",
)


def entry(id: str, account: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": id,
        "account": account,
        "state": "submitted",
        "reason": "",
        "created_at": AT,
        "sent_at": AT,
        "accepted_at": AT,
        "claim": None,
        "addressed_to": ["cliente@pec.example"],
        "code": "opec123",
        "message_id": "<1@erp.example>",
        "subject": "Fattura 1",
        "reference": "",
        "envid": "",
        "recipients": [
            {
                "address": "cliente@pec.example",
                "state": "delivered",
                "at": AT,
                "detail": "",
                "conflict": False,
            }
        ],
        "attempts": [
            {
                "number": 1,
                "started_at": AT,
                "ended_at": AT,
                "status": 200,
                "answer": "ok",
                "error": "",
            }
        ],
        "transitions": [
            {"at": AT, "old": "queued", "new": "dispatching", "reason": "", "attempt": 1},
            {"at": AT, "old": "dispatching", "new": "submitted", "reason": "", "attempt": 1},
        ],
        "receipts": [
            {
                "remote": 1,
                "size_bytes": None,
                "kind": "delivery",
                "at": AT,
                "addresses": ["cliente@pec.example"],
                "detail": "",
                "row": None,
                "first_seen": AT,
                "gone_at": None,
                "readable": True,
            }
        ],
        **changes,
    }


def listed(one: dict[str, Any]) -> dict[str, Any]:
    names = ("id", "account", "state", "subject", "code", "created_at", "sent_at", "message_id")
    return {
        **{name: one[name] for name in names},
        "recipients": [each["address"] for each in one["recipients"]],
        "accepted": 1,
        "delivered": 1,
        "failed": 0,
        "ordinary": 0,
    }


def sends(made: Site, *entries: dict[str, Any]) -> None:
    """Let the bridge of the test have sent these."""
    by_id = {one["id"]: one for one in entries}

    def find(arguments: Any) -> dict[str, Any]:
        if arguments["id"] not in by_id:
            raise OperationFailed(f"There is no entry {arguments['id']} in the queue.")
        return by_id[arguments["id"]]

    def page(arguments: Any) -> dict[str, Any]:
        account = arguments.get("account")
        rows = [listed(one) for one in entries if account in (None, one["account"])]
        return {"rows": rows, "next": None}

    def show(arguments: Any) -> dict[str, Any]:
        return {"reason": find(arguments)["reason"], "expected_at": None}

    made.done.answers |= {
        "export send": find,
        "queue show": show,
        "sent list": page,
        "status": lambda _arguments: {"accounts": [{"address": ANNA}, {"address": BRUNO}]},
    }


async def test_each_sees_what_is_theirs(made: Site) -> None:
    sends(made, entry("a1", ANNA, subject="di Anna"), entry("b1", BRUNO, subject="di Bruno"))
    page = await (await made.anna()).get("/sent?account=bruno@pec.example")
    assert ("di Anna" in page.text, "di Bruno" in page.text) == (True, False)
    set_administrator(made)
    page = await (await made.administrator()).get("/sent")
    assert ("di Anna" in page.text, "di Bruno" in page.text) == (True, True)


async def test_who_guesses_anothers_id_finds_nothing_there(made: Site) -> None:
    sends(made, entry("a1", ANNA), entry("b1", BRUNO, subject="segreto", state="uncertain"))
    anna = await made.anna()
    answers = [
        await anna.get(path)
        for path in (
            "/sent/b1",
            "/sent/nobody",
            "/sent/b1/evidence.zip",
            "/sent/b1/receipts/7",
            "/sent/a1/receipts/7",
        )
    ]
    answers += [
        await anna.press("/sent/a1", "/sent/b1", action=action)
        for action in ("sent", "resend", "drop", "reopen", "retry", "cancel")
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert all("segreto" not in answer.text and BRUNO not in answer.text for answer in answers)
    assert answers[0].text.replace("/b1", "/nobody") == answers[1].text
    assert not [name for name, _ in made.done.asked if "resolve" in name or "cancel" in name]


async def test_each_receipt_that_is_here_is_a_download(made: Site) -> None:
    receipt = {"kind": "delivery", "at": AT, "addresses": [], "detail": ""}
    here = receipt | {"remote": 7, "size_bytes": 5}
    gone = receipt | {"remote": 8, "size_bytes": None}
    sends(made, entry("a1", ANNA, receipts=[here, gone]), entry("b1", BRUNO, receipts=[here]))
    pieces = {0: b"a\r\n", 3: b"b!", 5: b""}
    made.done.answers["export receipt"] = lambda asked: base64.b64encode(pieces[asked["at"]])
    anna = await made.anna()
    page = await anna.get("/sent/a1")
    assert re.findall(r'href="(/sent/a1/receipts/[^"]+)"', page.text) == ["/sent/a1/receipts/7"]
    answer = await anna.get("/sent/a1/receipts/7")
    assert (answer.status_code, answer.content) == (200, b"a\r\nb!")
    assert answer.headers["Content-Type"] == "message/rfc822"
    assert 'filename="opec123-7-delivery.eml"' in answer.headers["Content-Disposition"]
    for path in ("/sent/a1/receipts/8", "/sent/a1/receipts/07", "/sent/b1/receipts/7"):
        assert (await anna.get(path)).status_code == 404


@pytest.mark.parametrize("attack", ATTACKS)
async def test_foreign_words_are_only_shown(made: Site, attack: str) -> None:
    recipient = {"address": attack, "state": attack, "at": AT, "detail": attack, "conflict": False}
    receipt = {
        "remote": 7,
        "kind": attack,
        "at": AT,
        "addresses": [attack],
        "detail": attack,
        "size_bytes": 10,
    }
    tried = {"started_at": AT, "ended_at": AT, "status": 200, "answer": attack, "error": ""}
    one = entry(
        "a1",
        ANNA,
        subject=attack,
        message_id=attack,
        code=attack,
        reason=attack,
        reference=attack,
        recipients=[recipient],
        receipts=[receipt],
        attempts=[tried],
    )
    sends(made, one)
    anna = await made.anna()
    for page in (await anna.get("/sent/a1"), await anna.get("/sent", params={"text": attack})):
        assert page.status_code == 200
        assert "<img src=x" not in page.text
        assert "<script>alert" not in page.text
        assert "<svg onload" not in page.text
        assert "49" not in page.text.split("<main")[1].split("Fattura")[0].replace("&#3", "")
        assert 'href="javascript' not in page.text


@pytest.mark.parametrize(
    ("state", "figures", "hours", "every_s"),
    [
        ("queued", {"accepted": 0, "delivered": 0}, 0, 3),
        ("queued", {"accepted": 0, "delivered": 0}, 72, 3),
        ("submitted", {"accepted": 0, "delivered": 0}, 0, 3),
        ("submitted", {"accepted": 1, "delivered": 0}, 0, 3),
        ("submitted", {"accepted": 1, "delivered": 0}, 12, 60),
        ("submitted", {"accepted": 1, "delivered": 0}, 72, None),
        ("submitted", {"accepted": 1, "delivered": 1}, 0, None),
        ("submitted", {"accepted": 1, "delivered": 0, "failed": 1}, 0, None),
        ("held", {"accepted": 0, "delivered": 0}, 0, None),
        ("cancelled", {"accepted": 0, "delivered": 0}, 0, None),
    ],
)
async def test_the_list_follows_until_the_last_receipt(
    made: Site, state: str, figures: dict[str, int], hours: int, every_s: int | None
) -> None:
    sends(made)
    at = (made.clock.now() - timedelta(hours=hours)).isoformat()
    row = {**listed(entry("a1", ANNA, state=state, created_at=at)), **figures}
    made.done.answers["sent list"] = lambda _arguments: {"rows": [row], "next": None}
    page = await (await made.anna()).get("/sent")
    live = page.text.partition('<div id="live"')[2].partition(">")[0]
    assert live == ("" if every_s is None else f' data-every="{every_s}"')


async def test_an_uncertain_send_has_three_buttons_with_their_consequences(made: Site) -> None:
    sends(made, entry("a1", ANNA, state="uncertain", code=None))
    page = await (await made.anna()).get("/sent/a1")
    for action in ("sent", "resend", "drop"):
        assert f'name="action" value="{action}"' in page.text
    for words in (
        "before it is believed",
        "the recipients get it twice",
        "not looked for any more",
    ):
        assert words in page.text
    assert 'name="force"' not in page.text


@pytest.mark.parametrize(
    ("action", "fields", "operation", "arguments"),
    [
        ("sent", {"code": " opec9 "}, "queue resolve --sent", {"code": "opec9", "force": False}),
        (
            "sent",
            {"code": "opec9", "force": "yes"},
            "queue resolve --sent",
            {"code": "opec9", "force": True},
        ),
        ("resend", {}, "queue resolve --resend", {"force": False}),
        ("drop", {"force": "yes"}, "queue resolve --drop", {}),
    ],
)
async def test_a_button_is_the_commands_own_operation(
    made: Site, action: str, fields: dict[str, str], operation: str, arguments: dict[str, Any]
) -> None:
    sends(made, entry("a1", ANNA, state="uncertain"))
    made.done.answers[operation] = lambda _arguments: {}
    anna = await made.anna()
    answer = await anna.press("/sent/a1", "/sent/a1", action=action, **fields)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/sent/a1?done={action}")
    assert (operation, {"id": "a1", **arguments}) in made.done.asked
    assert "Done." in (await anna.get(answer.headers["Location"])).text


async def test_what_is_not_proven_can_be_forced_only_after_the_reason_was_read(made: Site) -> None:
    def refuse(_arguments: Any) -> Any:
        raise OperationFailed("No receipt shows that a1 got the code opec9.")

    sends(made, entry("a1", ANNA, state="uncertain"))
    made.done.answers["queue resolve --sent"] = refuse
    anna = await made.anna()
    answer = await anna.press("/sent/a1", "/sent/a1", action="sent", code="opec9")
    assert answer.status_code == 409
    assert "No receipt shows that a1 got the code opec9." in answer.text
    assert 'value="opec9"' in answer.text
    assert answer.text.count('name="force"') == 1


async def test_a_button_needs_the_forms_token(made: Site) -> None:
    sends(made, entry("a1", ANNA, state="uncertain"))
    anna = await made.anna()
    answer = await anna.post("/sent/a1", data={"action": "resend", "csrf": "0" * 64})
    assert answer.status_code == 403
    assert (await anna.get("/sent/a1?action=resend")).status_code == 200
    assert not [name for name, _ in made.done.asked if "resolve" in name]


async def test_what_nobody_knows_how_to_do_is_not_done(made: Site) -> None:
    sends(made, entry("a1", ANNA))
    anna = await made.anna()
    assert (await anna.press("/sent/a1", "/sent/a1", action="delete")).status_code == 404


async def test_a_search_that_makes_no_sense_is_a_sentence(made: Site) -> None:
    def refuse(_arguments: Any) -> Any:
        raise OperationFailed("This cannot be looked for: Invalid isoformat string: 'ieri'.")

    sends(made)
    made.done.answers["sent list"] = refuse
    page = await (await made.anna()).get("/sent?since=ieri&before=x")
    assert (page.status_code, "This cannot be looked for" in page.text) == (400, True)
