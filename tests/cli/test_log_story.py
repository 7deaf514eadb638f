"""The log of a whole run: one id through a message's life, addresses kept, secrets in no line."""

from __future__ import annotations

import asyncio
import imaplib
import json
import signal
import smtplib
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from bridge.operations.control import ask
from bridge.simulator import Operation, SimulatorServer
from tests.cli.test_daemon import serving, write_config
from tests.running import ADDRESS, PASSWORD, PATIENCE_S, apart, eventually, simulated

WRONG = "not-the-password"
SUBJECT = "Licenziamento"
RECIPIENTS = ("mario.rossi@altra.example", "fail-luigi.verdi@altra.example")


def submitted(port: int, number: int, *recipients: str) -> None:
    message = EmailMessage()
    message["From"], message["To"] = ADDRESS, ", ".join(recipients)
    message["Subject"] = f"{SUBJECT} {number}"
    message["Message-ID"] = f"<{number}@client.example>"
    message.set_content("Egregio signore.\n")
    with smtplib.SMTP("127.0.0.1", port, timeout=PATIENCE_S) as client:
        client.login(ADDRESS, PASSWORD)
        client.send_message(message)


def read(port: int) -> None:
    client = imaplib.IMAP4("127.0.0.1", port, timeout=PATIENCE_S)
    with pytest.raises(imaplib.IMAP4.error):
        client.login(ADDRESS, WRONG)
    client.login(ADDRESS, PASSWORD)
    client.select()
    client.fetch("1:*", "(ENVELOPE BODY[])")
    client.search(None, "SUBJECT", SUBJECT)
    client.logout()


async def run(folder: Path, *options: str) -> tuple[str, str]:
    """Live through a day of a bridge; returns its log and the simulator's token."""
    simulator = simulated()
    async with SimulatorServer(simulator.app) as api:
        config = write_config(folder, api.url, simulator.token)
        async with serving(config, "--log", "json", *options) as (process, ready):
            smtp, imap = ready["smtp"]["port"], ready["imap"]["port"]
            await apart(submitted, smtp, 1, *RECIPIENTS)

            async def has_receipts() -> bool:
                sends = await ask(folder / "data", "receipts list", {})
                states = [one["state"] for send in sends for one in send["recipients"]]
                return sorted(states) == ["delivered", "failed"]

            await eventually(has_receipts)
            rule = simulator.faults.answer(
                Operation.SEND,
                400,
                {"success": False, "message": f"No such recipient {RECIPIENTS[0]}"},
            )
            await apart(submitted, smtp, 2, RECIPIENTS[0])

            async def is_refused() -> bool:
                entries = await ask(folder / "data", "queue list", {})
                return bool(entries[-1]["state"] == "refused")

            await eventually(is_refused)
            simulator.faults.remove(rule)
            await apart(read, imap)
            process.send_signal(signal.SIGTERM)
            _, err = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    return err.decode(), simulator.token


def lines_of(log: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.splitlines()]


async def test_one_id_follows_a_message_through_the_log(tmp_path: Path) -> None:
    log, token = await run(tmp_path, "--verbose")
    lines = lines_of(log)
    assert {line["account"] for line in lines if "account" in line} == {ADDRESS}
    first, second = [line for line in lines if line["event"] == "submission_queued"]
    assert first["peer"] == "127.0.0.1"
    assert first["recipients"] == 2
    of_first = [line for line in lines if line.get("id") == first["id"]]
    assert {line["account"] for line in of_first} == {ADDRESS}
    (request,) = [one for one in of_first if one["event"] == "api_request"]
    assert request["method"] == "POST"
    (left,) = [one for one in of_first if one["event"] == "message_submitted"]
    assert left["recipients"] == 2
    kinds = [one["kind"] for one in of_first if one["event"] == "receipt"]
    assert {"acceptance", "delivery", "failure"} <= set(kinds)
    assert [one["kind"] for one in of_first if one["event"] == "alarm"]
    of_second = [line["event"] for line in lines if line.get("id") == second["id"]]
    assert of_second[0] == "submission_queued"
    assert "message_refused" in of_second
    for secret in (PASSWORD, WRONG, token):
        assert secret not in log


@pytest.mark.slow
async def test_nobody_elses_name_nor_a_subject_is_in_an_ordinary_log(tmp_path: Path) -> None:
    log, token = await run(tmp_path)
    lines = lines_of(log)
    for text in (PASSWORD, WRONG, token, SUBJECT, "Egregio", "mario.rossi", "luigi.verdi"):
        assert text not in log
    (refused,) = [line for line in lines if line["event"] == "message_refused"]
    assert "…@altra.example" in refused["reason"]
    assert [line for line in lines if line["event"] == "login" and line["login"] == ADDRESS]
