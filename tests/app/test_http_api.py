"""Programs that ask a bridge that runs: over real ports, by real bytes, and until its end."""

from __future__ import annotations

import asyncio
import io
import smtplib
import ssl
import time
import zipfile
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from bridge.app.certificate import FILE_NAME
from bridge.config import Config, Listen, Web
from bridge.evidence.verify import verify
from bridge.limits import API_WAITS_PER_KEY
from bridge.operations.control import ask
from tests.running import ADDRESS, PASSWORD, Running, apart, eventually, running, simulated
from tests.web.contract.conftest import named

REFERENCE = "Ordine 17/b, 100% è"


def with_the_page(config: Config) -> Config:
    return replace(config, web=Web(listen=(Listen("127.0.0.1", 0),)))


def over_tls(config: Config) -> Config:
    return replace(config, web=Web(listen=(Listen("127.0.0.1", 0, implicit_tls=True),)))


async def program(up: Running, data_dir: Path, **options: Any) -> httpx.AsyncClient:
    made = await ask(data_dir, "apikey create", {"name": f"ERP {time.monotonic()}", "write": True})
    headers = {"Authorization": f"Bearer {made['key']}"}
    url = f"{up.listening.web_url}".rstrip("/")
    return httpx.AsyncClient(base_url=f"{url}/api/v1", headers=headers, timeout=30, **options)


def submitted(up: Running, subject: str, reference: str) -> None:
    """Submit by SMTP as an ERP does; blocks."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = ADDRESS, "c@pec.example", subject
    message["X-PEC-Reference"] = reference
    message.set_content("Salve.\n")
    with smtplib.SMTP("127.0.0.1", up.port("smtp"), timeout=20) as client:
        client.login(ADDRESS, PASSWORD)
        client.send_message(message)


async def test_a_message_is_followed_by_the_name_that_its_sender_gave_it(tmp_path: Path) -> None:
    async with running(tmp_path, simulated(), change=over_tls) as up:
        trusted = ssl.create_default_context(cafile=str(tmp_path / FILE_NAME))
        async with await program(up, tmp_path, verify=trusted) as erp:
            await apart(submitted, up, "Prova", REFERENCE)
            path = f"/sends/{quote(REFERENCE, safe='')}"
            told = (await erp.get(path, params={"wait": 20})).json()
            assert (told["outcome"], told["reference"]) == ("delivered", REFERENCE)
            receipts = (await erp.get(f"{path}/receipts")).json()["receipts"]
            assert [one["kind"] for one in receipts] == ["acceptance", "delivery"]
            evidence = await erp.get(f"{path}/evidence.zip")
            assert evidence.headers["Content-Type"] == "application/zip"
            with io.BytesIO(evidence.content) as stream:
                assert not verify(stream).problems
            with zipfile.ZipFile(io.BytesIO(evidence.content)) as unpacked:
                names = unpacked.namelist()
            assert len([name for name in names if name.endswith(".body.txt")]) == 2
            page = (await erp.get("/events")).json()
            events = [(one["event"], one["reference"]) for one in page["events"]]
            kinds = ("queued", "submitted", "accepted", "delivered")
            assert events == [(one, REFERENCE) for one in kinds]
            answer = await erp.post(f"{path}/cancel", json={})
            assert named(answer) == (409, "not-possible")
            listed = await ask(tmp_path, "apikey list", {})
            assert listed[0]["used_at"] is not None


@pytest.mark.parametrize("path", ["/events?wait=60&after=1", "/sends/Ordine?wait=60"])
async def test_a_wait_does_not_hold_up_the_end_and_is_answered(tmp_path: Path, path: str) -> None:
    simulator = simulated()
    async with running(tmp_path, simulator, change=with_the_page) as up:
        await ask(tmp_path, "queue pause", {})
        await apart(submitted, up, "Prova", "Ordine")
        erp = await program(up, tmp_path)
        waiting = asyncio.ensure_future(erp.get(path))

        async def has_begun() -> object:
            return (await ask(tmp_path, "apikey list", {}))[0]["used_at"]

        await eventually(has_begun)
        begun_s = time.monotonic()
    assert time.monotonic() - begun_s < 5
    answer = await asyncio.wait_for(waiting, 5)
    assert answer.status_code == 200
    await erp.aclose()


async def test_who_hangs_up_leaves_room_for_the_next_wait(tmp_path: Path) -> None:
    async with running(tmp_path, simulated(), change=with_the_page) as up:
        erp = await program(up, tmp_path)
        head = (
            "GET /api/v1/events?wait=60 HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Authorization: {erp.headers['Authorization']}\r\n\r\n"
        )
        writers = []
        for _ in range(API_WAITS_PER_KEY):
            _, writer = await asyncio.open_connection("127.0.0.1", up.port("http"))
            writer.write(head.encode())
            writers.append(writer)

        async def status() -> int:
            return (await erp.get("/events", params={"wait": 1})).status_code

        async def is_full() -> bool:
            return await status() == 429

        async def has_room() -> bool:
            return await status() == 200

        await eventually(is_full)
        for writer in writers:
            writer.transport.abort()
        await eventually(has_room)
        await erp.aclose()
