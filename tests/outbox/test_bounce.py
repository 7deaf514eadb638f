"""Bounces as a mail client and a program read them; the form is ``mime.write.dsn``'s (RFC 3464)."""

from __future__ import annotations

from email.message import EmailMessage
from typing import cast

import pytest
from flufl.bounce import all_failures

from bridge.model import PEC_FAILED, SEEN, QueueId, SubmissionState
from bridge.outbox.bounce import Verdict, refused_by_api, unreachable, unsendable
from bridge.simulator import FaultRule, FixedAnswer, Operation, Phase, Simulator
from bridge.store.dsn import DsnRequest, DsnWish, NotifyOn
from tests.fakes import FakeClock
from tests.outbox.rig import ADDRESSES, PASSWORD, Rig, submission_of
from tests.receipts.notified import read_notification


async def bounce_of(rig: Rig, simulator: Simulator, answer: FixedAnswer, *to: str) -> EmailMessage:
    simulator.faults.add(FaultRule(phase=Phase.INSTEAD, result=answer, operation=Operation.SEND))
    await rig.submit("Fattura così", *to, message_id="<uno@client.invalid>")
    await rig.quiet()
    (bounce,) = await rig.mail()
    return bounce


NO = FixedAnswer(400, {"success": False, "message": "Il destinatario non è valido"})


async def test_a_bounce_is_a_report_from_the_null_reverse_path(
    rig: Rig, simulator: Simulator
) -> None:
    bounce = await bounce_of(rig, simulator, NO, "uno@altra.invalid", "due@altra.invalid")
    assert bounce["Return-Path"] == "<>"
    assert bounce["To"] == ADDRESSES[0]
    assert bounce.get_content_type() == "multipart/report"
    assert bounce.get_param("report-type") == "delivery-status"
    assert bounce["Subject"] == "Messaggio non inviato / Message not sent: Fattura così"
    assert bounce["In-Reply-To"] == "<uno@client.invalid>"
    assert bounce["Auto-Submitted"] == "auto-replied"
    kinds = [part.get_content_type() for part in bounce.iter_parts()]
    assert kinds == ["text/plain", "message/delivery-status", "text/rfc822-headers"]


async def test_a_person_reads_what_by_whom_why_and_what_to_do(
    rig: Rig, simulator: Simulator
) -> None:
    bounce = await bounce_of(rig, simulator, NO)
    text = " ".join(next(bounce.iter_parts()).get_content().split())
    for words in (
        "il servizio PEC lo ha rifiutato",
        "Oggetto: Fattura così",
        "Destinatari: cliente@altra.invalid",
        "Risposta: HTTP 400: Il destinatario non è valido",
        "correggere il messaggio e inviarlo di nuovo",
        "the PEC service refused it",
        "Recipients: cliente@altra.invalid",
        "mend the message and send it again",
    ):
        assert words in text


async def test_a_program_reads_a_group_for_each_recipient(rig: Rig, simulator: Simulator) -> None:
    bounce = await bounce_of(rig, simulator, NO, "uno@altra.invalid", "due@altra.invalid")
    report = list(bounce.iter_parts())[1]
    about, *recipients = cast("list[EmailMessage]", report.get_payload())
    assert about["Reporting-MTA"] == "dns; pec-bridge.localhost"
    assert [one["Final-Recipient"] for one in recipients] == [
        "rfc822; uno@altra.invalid",
        "rfc822; due@altra.invalid",
    ]
    for one in recipients:
        assert (one["Action"], one["Status"]) == ("failed", "5.0.0")
        assert one["Remote-MTA"] == "dns; api.invalid"
        assert one["Diagnostic-Code"].startswith("http; HTTP 400: Il destinatario")


async def test_a_bounce_is_unseen_and_in_the_senders_inbox_only(
    rig: Rig, simulator: Simulator
) -> None:
    bounce = await bounce_of(rig, simulator, NO)
    assert bounce["Message-ID"]
    assert SEEN not in await rig.flags("INBOX")
    assert await rig.mail(account=1) == []


@pytest.mark.parametrize(
    "words",
    [
        "a\r\nBcc: x@y.invalid\r\n\r\nbody",
        "\ud800 and \x00",
        "parola: " + PASSWORD,
        "è" * 5000,
        "",
    ],
    ids=["line breaks", "surrogate and NUL", "the password", "long", "none"],
)
async def test_whatever_the_api_says_the_bounce_is_well_formed(
    rig: Rig, simulator: Simulator, words: str
) -> None:
    bounce = await bounce_of(rig, simulator, FixedAnswer(400, {"success": False, "message": words}))
    assert bounce.defects == []
    assert bounce["Bcc"] is None
    assert len(list(bounce.iter_parts())) == 3
    (raw,) = await rig.texts()
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    text = next(bounce.iter_parts()).get_content()
    assert PASSWORD not in raw.decode()
    assert PASSWORD not in text


@pytest.mark.parametrize(
    ("verdict", "status", "words"),
    [
        (refused_by_api(400, "no", "h"), "5.0.0", "HTTP 400: no"),
        (refused_by_api(403, "", "h"), "5.0.0", "HTTP 403"),
        (unreachable(FakeClock().now(), "down", "h"), "4.4.1", "down"),
        (unsendable("why"), "5.6.3", "why"),
    ],
    ids=["refused", "refused without words", "unreachable", "unsendable"],
)
def test_each_verdict_says_it_in_both_languages(verdict: Verdict, status: str, words: str) -> None:
    assert (verdict.status, verdict.diagnostic) == (status, words)
    assert "non è stato inviato" in verdict.italian
    assert "not sent" in verdict.english
    assert "inviarlo di nuovo" in verdict.italian.lower()
    assert "it again" in verdict.english


def asking(*notify: NotifyOn, to: str = "cliente@altra.invalid", full: bool = False) -> DsnRequest:
    return DsnRequest("E 1", full, {to: DsnWish(frozenset(notify), "rfc822;cliente")})


async def refuse(rig: Rig, simulator: Simulator, dsn: DsnRequest, *to: str) -> QueueId:
    simulator.faults.add(FaultRule(phase=Phase.INSTEAD, result=NO, operation=Operation.SEND))
    id = await rig.submit("Fattura", *to, dsn=dsn)
    await rig.quiet()
    assert await rig.state(id) is SubmissionState.REFUSED
    return id


async def test_a_refusal_is_told_in_the_words_of_whoever_asked(
    rig: Rig, simulator: Simulator
) -> None:
    await refuse(rig, simulator, asking(NotifyOn.FAILURE, full=True))
    (message,) = await rig.mail()
    said = read_notification(message)
    assert said.about["original-envelope-id"] == "E 1"
    fields = said.recipients["cliente@altra.invalid"]
    assert (fields["action"], fields["status"]) == ("failed", "5.0.0")
    assert fields["original-recipient"] == "rfc822; cliente"
    assert said.returned.get_content_type() == "message/rfc822"
    (inside,) = cast("list[EmailMessage]", said.returned.get_payload())
    assert inside["Subject"] == "Fattura"
    assert all_failures(message)[1] == {b"cliente"}  # whom the client meant


@pytest.mark.parametrize("notify", [(), (NotifyOn.SUCCESS, NotifyOn.DELAY)])
async def test_who_does_not_want_to_know_of_a_failure_has_no_bounce(
    rig: Rig, simulator: Simulator, notify: tuple[NotifyOn, ...]
) -> None:
    await refuse(rig, simulator, asking(*notify))
    assert await rig.mail() == []
    assert PEC_FAILED in await rig.flags("Unsent")


async def test_a_bounce_names_those_of_whom_it_is_wanted(rig: Rig, simulator: Simulator) -> None:
    people = ("uno@altra.invalid", "due@altra.invalid")
    await refuse(rig, simulator, asking(to=people[0]), *people)
    (message,) = await rig.mail()
    assert read_notification(message).actions == {people[1]: "failed"}


async def test_notifications_are_as_many_as_were_asked_for(rig: Rig, simulator: Simulator) -> None:
    """However many notices the day had."""
    for number in range(15):
        simulator.faults.add(FaultRule(phase=Phase.INSTEAD, result=NO, operation=Operation.SEND))
        await rig.submit(f"Fattura {number}", dsn=asking(NotifyOn.FAILURE))
        await rig.pass_time(2)
    assert len({one["Message-ID"] for one in await rig.mail()}) == 15


async def test_a_hidden_recipients_wish_goes_with_their_own_message(rig: Rig) -> None:
    hidden = "nascosto@altra.invalid"
    wishes = {one: DsnWish(frozenset({NotifyOn.SUCCESS})) for one in ("uno@altra.invalid", hidden)}
    submission = submission_of(
        "Fattura", ("uno@altra.invalid",), ADDRESSES[0], "x", separate=(hidden,)
    )
    await rig.outbox.enqueue(
        rig.accounts[0], submission, b"digest", dsn=DsnRequest("E", False, wishes)
    )
    asked = {
        row.recipients: await rig.read(lambda tx, id=row.id: tx.dsn(id))  # type: ignore[misc] # bound now
        for row in await rig.rows()
    }
    assert {to: list(one.wishes) for to, one in asked.items()} == {
        ("uno@altra.invalid",): ["uno@altra.invalid"],
        (hidden,): [hidden],
    }
    assert {row.envid for row in await rig.rows()} == {"E"}
