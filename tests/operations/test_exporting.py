"""Evidence written out of a store made by hand."""

from __future__ import annotations

import gc
import io
import json
import tempfile
import tracemalloc
import zipfile
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, BinaryIO, cast

import pytest

from bridge.config import Account, Api, Config, SecretSource
from bridge.evidence import layout
from bridge.evidence.verify import verify
from bridge.model import QueueId, SubmissionState
from bridge.operations.accounts import ApiAccount, ApiAccounts
from bridge.operations.control import OperationFailed
from bridge.operations.export import ExportOperations
from bridge.operations.exporting import Exporter
from bridge.outbox.plan import rome_day
from bridge.simulator.wording import NetworkKind
from bridge.store.outbox import AttemptEnd, NewSubmission
from bridge.store.remote import RemoteId
from tests.receipts.rig import ADDRESS, CODE, Rig

AT = "2026-02-01T00:00:00.000Z"
ANNA = "anna@pec.example"
FRAMES = 6
"""Of an allocation's stack: enough to see the package under the libraries that it calls."""
RAW = (
    b"From: azienda@pec.example\r\nTo: anna@pec.example\r\nMessage-ID: <Q1@azienda.example>\r\n"
    b"Subject: Diffida\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/plain\r\n\r\nTesto.\r\n--b\r\n"
    b'Content-Type: application/pdf; name="a.pdf"\r\nContent-Disposition: attachment\r\n'
    b"Content-Transfer-Encoding: base64\r\n\r\nJVBERi0=\r\n--b--\r\n"
)
CONFIG = Config(
    api=Api(token=SecretSource(env="UNUSED")),
    account=(Account(address=ADDRESS, username="azienda", password=SecretSource(env="UNUSED")),),
)


def exporter(rig: Rig, at: str = AT) -> Exporter:
    methods = ExportOperations(
        rig.store, rig.clock, ApiAccounts((ApiAccount(rig.account, ADDRESS, None),))
    ).methods()

    async def perform(name: str, arguments: Mapping[str, Any]) -> Any:
        return await methods[name](arguments, lambda done, total: None)

    return Exporter(perform, CONFIG, at)


async def exported(rig: Rig, id: str = "Q1", at: str = AT) -> tuple[bytes, dict[str, bytes]]:
    stream = io.BytesIO()
    await exporter(rig, at).send(stream, id)
    assert verify(stream).problems == ()
    with zipfile.ZipFile(stream) as archive:
        return stream.getvalue(), {name: archive.read(name) for name in archive.namelist()}


async def sent(rig: Rig, id: str = "Q1", code: str = CODE, **details: Any) -> RemoteId:
    """Send a message that was accepted; return the acceptance."""
    details.setdefault("raw", RAW)
    queue_id = await rig.send((ANNA,), id=id, code=code, **details)
    now = rig.clock.now()
    end = AttemptEnd(now, 201, '{"message_id": "' + code + '"}', "")

    async def work(tx: Any) -> None:
        number = await tx.begin_attempt(queue_id, now)
        await tx.end_attempt(queue_id, number, end)
        await tx.count_submission(queue_id, rome_day(now), 1)

    await rig.store.write(work)
    subject = details.get("subject", "Diffida")
    return await rig.receipt(NetworkKind.ACCEPTANCE, ANNA, code=code, subject=subject)


async def test_a_send_is_there_with_all_that_is_known(rig: Rig) -> None:
    acceptance = await sent(rig)
    _, files = await exported(rig)
    assert files["message.eml"] == RAW
    assert files["receipts/001-acceptance.row.json"] == b"{}"
    body = await rig.store.read(lambda tx: tx.remote_body(acceptance))
    assert body is not None
    assert files["receipts/001-acceptance.body.txt"] == body.encode()
    (attempt,) = json.loads(files["attempts.json"])
    assert attempt["status"] == 201
    steps = [one["what"] for one in json.loads(files["timeline.json"])]
    assert steps[0] == "submitted by SMTP"
    assert {"dispatching -> submitted", "receipt: acceptance"} <= set(steps)
    note = files["README.txt"].decode()
    for words in ("NON SONO LE RICEVUTE FIRMATE", "THESE ARE NOT THE SIGNED RECEIPTS"):
        assert words in note


@pytest.mark.parametrize("over", [-1, 0, 1, 64])
async def test_texts_around_a_slices_end_are_whole(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, over: int
) -> None:
    monkeypatch.setattr("bridge.operations.export.SLICE_BYTES", 64)
    monkeypatch.setattr("bridge.operations.exporting.GIVEN_BYTES", 64)
    head = b"Subject: Diffida\r\nTo: anna@pec.example\r\n\r\n"
    raw = head + b"x" * (128 + over - len(head))
    acceptance = await sent(rig, raw=raw)
    _, files = await exported(rig)
    assert files["message.eml"] == raw
    body = await rig.store.read(lambda tx: tx.remote_body(acceptance))
    assert body is not None
    assert len(body) > 64
    assert files["receipts/001-acceptance.body.txt"] == body.encode()


async def test_the_request_has_no_secrets_and_files_by_their_sums(rig: Rig) -> None:
    await sent(rig)
    _, files = await exported(rig)
    request = json.loads(files["request.json"])["json"]
    assert list(request) == [
        "sender",
        "recipient",
        "subject",
        "attachments",
        "body",
        "username",
        "password",
    ]
    assert (request["username"], request["password"]) == ("azienda", "(left out)")
    (file,) = request["attachments"]
    assert (file["name"], file["file"]["bytes"]) == ("a.pdf", 5)


async def test_only_the_manifest_knows_when_it_was_exported(rig: Rig) -> None:
    await sent(rig)
    first, one = await exported(rig)
    again, _ = await exported(rig)
    _, other = await exported(rig, at="2030-01-01T00:00:00.000Z")
    assert first == again
    assert {name for name in one if one[name] != other[name]} == {"manifest.json"}


async def test_what_the_archive_forgot_is_said(rig: Rig) -> None:
    acceptance = await sent(rig)
    now = rig.clock.now()
    await rig.store.write(lambda tx: tx.mark_remote_gone(acceptance, now))
    await rig.store.write(lambda tx: tx.drop_archived_bodies(now + timedelta(days=1), 10))
    _, files = await exported(rig)
    assert [name for name in files if "receipts/" in name] == ["receipts/001-acceptance.json"]
    assert "only the outcome is known" in files["summary.html"].decode()


@pytest.mark.parametrize(
    "subject",
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "{{ 7 * 7 }}{% raw %}",
        "fattura\u202efdp.exe",
        "&lt;b&gt;",
        "https://evil.example/x.png",
    ],
)
async def test_the_summary_shows_text_as_text(rig: Rig, subject: str) -> None:
    await sent(rig, subject=subject)
    _, files = await exported(rig)
    page = files["summary.html"].decode()
    assert "<script" not in page
    assert "<img" not in page
    assert "\u202e" not in page
    assert "&lt;script" in page or "script" not in subject
    assert "src=x" not in page.replace("&lt;img src=x", "")
    for loading in ("<link", "<iframe", "url(", ' src="', ' href="'):
        assert loading not in page
    assert 'lang="it"' in page
    assert 'lang="en"' in page


async def test_a_collection_holds_an_archive_for_each_and_an_index(rig: Rig) -> None:
    await sent(rig)
    await sent(rig, id="Q2", code="2026011510000093", subject="Altro")
    stream, seen = io.BytesIO(), []
    sha256 = await exporter(rig).collection(
        stream, ["Q1", "Q2"], lambda done, total: seen.append((done, total))
    )
    report = verify(stream)
    assert (report.problems, report.sha256) == ((), sha256)
    assert seen == [(1, 2), (2, 2)]
    with zipfile.ZipFile(stream) as archive:
        names = ["README.txt", "sends/Q1.zip", "sends/Q2.zip", "index.html", "manifest.json"]
        assert archive.namelist() == names
        assert archive.read("sends/Q1.zip") == (await exported(rig))[0]
        assert b'href="sends/Q2.zip"' in archive.read("index.html")


@pytest.mark.parametrize(
    "what", ["Q1", CODE, "Q1@azienda.example", "<Q1@azienda.example>", "Ordine 17/b"]
)
async def test_a_send_is_found_by_each_of_its_names(rig: Rig, what: str) -> None:
    await sent(rig, reference="Ordine 17/b")
    assert await exporter(rig).perform("export find", {"what": what}) == ["Q1"]


@pytest.mark.parametrize("what", ["Q9", "2026011510000099", "x@y", "", "%", "q1"])
async def test_what_is_not_known_is_said(rig: Rig, what: str) -> None:
    await sent(rig)
    with pytest.raises(OperationFailed, match="Nothing was sent from here"):
        await exporter(rig).perform("export find", {"what": what})


async def test_a_message_id_may_be_several_entries(rig: Rig) -> None:
    await sent(rig)

    async def work(tx: Any) -> None:
        row = await tx.submission(QueueId("Q1"))
        hidden = NewSubmission(
            QueueId("Q2"),
            row.account,
            row.message_id,
            row.subject,
            ("bruno@pec.example",),
            row.content,
            b"",
            row.created_at,
        )
        await tx.add_submission(hidden)

    await rig.store.write(work)
    found = await exporter(rig).perform("export find", {"what": "Q1@azienda.example"})
    assert found == ["Q1", "Q2"]


async def test_a_month_has_what_counts_in_it(rig: Rig) -> None:
    await sent(rig)
    perform = exporter(rig).perform
    assert await perform("export month", {"month": "2026-01"}) == ["Q1"]
    for month, words in (("2026-02", "Nothing was sent in 2026-02"), ("2026-1", "is no month")):
        with pytest.raises(OperationFailed, match=words):
            await perform("export month", {"month": month})
    with pytest.raises(OperationFailed, match="There is no account"):
        await perform("export month", {"month": "2026-01", "account": "x@y.example"})


async def test_what_cannot_be_sent_is_exported_all_the_same(rig: Rig) -> None:
    raw = (
        b"To: a@b.example\r\nContent-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\n--b--\r\n"
    )
    await rig.send((ANNA,), code=None, raw=raw)
    _, files = await exported(rig)
    assert files["message.eml"] == raw
    request = json.loads(files["request.json"])
    assert request["json"] is None
    assert "cannot be sent" in request["why"]


async def test_an_uncertain_send_is_called_that(rig: Rig) -> None:
    await rig.send((ANNA,), code=None, raw=RAW)
    await rig.step(QueueId("Q1"), SubmissionState.DISPATCHING, SubmissionState.UNCERTAIN)
    _, files = await exported(rig)
    page = files["summary.html"].decode()
    assert "incerto, forse inviato" in page
    assert "uncertain, may have been sent" in page


async def test_an_entry_that_vanished_is_said(rig: Rig) -> None:
    with pytest.raises(OperationFailed, match="There is no entry Q7"):
        await exporter(rig).send(io.BytesIO(), "Q7")


def held_bytes() -> int:
    """Return what is allocated by the export and what it calls, without garbage.

    The whole process is no measure: in a run of all tests, garbage in cycles waits long to be
    collected, and threads and caches of other tests come along.
    """
    gc.collect()
    ours = [
        tracemalloc.Filter(True, f"*/bridge/{package}/*", all_frames=True)
        for package in ("operations", "evidence", "store", "mime")
    ]
    return sum(one.size for one in tracemalloc.take_snapshot().filter_traces(ours).traces)


@pytest.mark.slow
async def test_a_month_of_thirty_thousand_takes_no_hundred_megabytes(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What each send leaves behind in memory, after its message is written."""
    await sent(rig, raw=RAW + b"x" * 20_000)
    numbers = iter(range(1_000))
    monkeypatch.setattr(layout, "send_name", lambda _: f"sends/{next(numbers):016}.zip")
    held: dict[int, int] = {}

    def progress(done: int, _total: int) -> None:
        if done in (10, 50):
            held[done] = held_bytes()

    tracemalloc.start(FRAMES)
    try:
        with tempfile.TemporaryFile() as stream:
            await exporter(rig).collection(cast(BinaryIO, stream), ["Q1"] * 50, progress)
    finally:
        tracemalloc.stop()
    assert 0 < (held[50] - held[10]) / 40 < 100_000_000 / 30_000
