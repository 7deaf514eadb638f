"""Writes evidence to a stream, out of what ``operations.export`` gives piece by piece.

Runs in the command's own process, whoever holds the data. Memory: one message and its request, a
line for each send of a collection.

The request is worked out anew from the message as it was submitted, by the conversion that sends:
it was not kept. Files stand in it by size and SHA-256, for the message beside it has them whole;
the password is left out.
"""

from __future__ import annotations

import base64
import hashlib
import json
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from bridge.config import Config
from bridge.evidence import layout
from bridge.evidence.archive import SLICE_BYTES, ArchiveWriter, slices
from bridge.evidence.layout import ArchiveKind
from bridge.evidence.summary import index_pieces, readme, summary
from bridge.mime.strict.content import Content, Sealed, convert
from bridge.mime.strict.field import Unreadable
from bridge.operations.control import Progress
from bridge.operations.export import SLICE_BYTES as GIVEN_BYTES

Perform = Callable[[str, Mapping[str, Any]], Awaitable[Any]]

SPOOLED_BYTES = 4 * 1024**2
"""Archives of one send up to this size are made in memory, larger ones in a file."""

PASSWORD = "(left out)"  # noqa: S105 - stands in its place


@dataclass(frozen=True, slots=True)
class Exporter:
    """Writes archives.

    ``perform`` carries out the operations of ``operations.export``; ``exported_at`` is RFC 3339.
    """

    perform: Perform
    config: Config
    exported_at: str

    async def send(self, stream: BinaryIO, id: str) -> str:
        """Write the archive of one send; return its SHA-256."""
        return (await self._send(stream, id))[0]

    async def collection(self, stream: BinaryIO, ids: Sequence[str], progress: Progress) -> str:
        """Write an archive of archives with an index; return its SHA-256."""
        rows: list[dict[str, Any]] = []
        with ArchiveWriter(stream, ArchiveKind.COLLECTION, self.exported_at) as archive:
            archive.add(layout.README, readme())
            for done, id in enumerate(ids, 1):
                with tempfile.SpooledTemporaryFile(SPOOLED_BYTES) as spool:
                    one = cast(BinaryIO, spool)
                    _, facts = await self._send(one, id)
                    name = layout.send_name(id)
                    archive.add(name, slices(one, 0, one.seek(0, 2)))
                rows.append(_index_row(name, facts))
                progress(done, len(ids))
            archive.add(layout.INDEX, index_pieces(rows))
            return archive.finish()

    async def _send(self, stream: BinaryIO, id: str) -> tuple[str, dict[str, Any]]:
        facts: dict[str, Any] = await self.perform("export send", {"id": id})
        with ArchiveWriter(stream, ArchiveKind.SEND, self.exported_at) as archive:
            archive.add(layout.README, readme())
            raw = b"".join([piece async for piece in self._pieces("export message", id=id)])
            if raw:
                archive.add(layout.MESSAGE, _sliced(raw))
            archive.add(layout.REQUEST, _json(self._request(facts, raw)))
            del raw
            archive.add(layout.ATTEMPTS, _json(facts["attempts"]))
            archive.add(layout.TIMELINE, _json(timeline(facts)))
            for number, receipt in enumerate(facts["receipts"], 1):
                await self._receipt(archive, number, receipt)
            archive.add(layout.SUMMARY, summary(facts, timeline(facts), archive.entries))
            return archive.finish(), facts

    async def _receipt(self, archive: ArchiveWriter, number: int, receipt: dict[str, Any]) -> None:
        """Write a receipt's row and body, if the archive still has them, and say so in it."""
        name = layout.receipt_name(number, receipt["kind"])
        if receipt["row"] is not None:
            archive.add(f"{name}.row.json", receipt["row"].encode())
        pieces = [piece async for piece in self._pieces("export body", remote=receipt["remote"])]
        if pieces:
            archive.add(f"{name}.body.txt", pieces)
        archive.add(f"{name}.json", _json({**receipt, "row": receipt["row"] is not None}))

    async def _pieces(self, operation: str, **which: object) -> AsyncIterator[bytes]:
        at, whole = 0, False
        while not whole:
            piece = base64.b64decode(await self.perform(operation, {**which, "at": at}))
            if piece:
                yield piece
            at += len(piece)
            whole = len(piece) < GIVEN_BYTES

    def _request(self, facts: Mapping[str, Any], raw: bytes) -> dict[str, Any]:
        head = {"method": "POST", "path": "/send"}
        if not raw:
            return {**head, "json": None, "why": "the message is no longer in the store"}
        try:
            content = convert(raw, self.config.send.signed)
        except (Unreadable, Sealed) as fault:
            return {**head, "json": None, "why": f"the message cannot be sent: {fault}"}
        return {**head, "json": self._json_of(facts, content)}

    def _json_of(self, facts: Mapping[str, Any], content: Content) -> dict[str, Any]:
        address = facts["account"]
        username = next(
            (
                one.api_username
                for one in self.config.account
                if one.address.casefold() == str(address).casefold()
            ),
            None,
        )
        return {
            "sender": address,
            "recipient": facts["addressed_to"],
            "subject": facts["subject"],
            "attachments": [
                {
                    "name": file.name,
                    "file": {
                        "media_type": file.media_type,
                        "bytes": len(file.content),
                        "sha256": hashlib.sha256(file.content).hexdigest(),
                    },
                }
                for file in content.files
            ],
            "body": content.body,
            "username": username,
            "password": PASSWORD,
        }


def timeline(facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return all that happened to a send, in order of time."""
    steps = [
        {"at": facts["created_at"], "what": "submitted by SMTP", "detail": ""},
        *(
            {"at": one["at"], "what": f"{one['old']} -> {one['new']}", "detail": one["reason"]}
            for one in facts["transitions"]
        ),
        *(
            {
                "at": one["at"],
                "what": f"receipt: {one['kind']}",
                "detail": "; ".join(filter(None, (", ".join(one["addresses"]), one["detail"]))),
            }
            for one in facts["receipts"]
        ),
    ]
    return sorted(steps, key=lambda step: str(step["at"]))


def _index_row(name: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "sent_at": facts["sent_at"] or facts["created_at"],
        "account": facts["account"],
        "subject": facts["subject"],
        "code": facts["code"],
        "state": facts["state"],
        "recipients": [f"{one['address']}: {one['state']}" for one in facts["recipients"]],
    }


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1).encode("utf-8", "replace") + b"\n"


def _sliced(raw: bytes) -> Iterator[bytes]:
    for at in range(0, len(raw), SLICE_BYTES):
        yield raw[at : at + SLICE_BYTES]
