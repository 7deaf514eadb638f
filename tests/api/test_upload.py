from __future__ import annotations

import asyncio
import base64
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.api.schema import Attachment, SendRequest
from bridge.api.upload import FILE_SLICE_BYTES, AttachmentEncoding, Upload

TEXT = st.text(max_size=50)
ATTACHMENT = st.builds(
    Attachment, TEXT, st.sampled_from(["text/plain", "application/pdf"]), st.binary(max_size=100)
)
REQUEST = st.builds(
    SendRequest,
    st.just("a@pec.example"),
    st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=3).map(tuple),
    TEXT,
    TEXT,
    st.lists(ATTACHMENT, max_size=3).map(tuple),
)


async def written(request: SendRequest, encoding: AttachmentEncoding = "data-uri") -> bytes:
    upload = Upload(request, username="user", password='p"w', encoding=encoding)
    chunks = [chunk async for chunk in upload.chunks()]
    content = b"".join(chunks)
    assert await upload.length() == len(content)
    return content


def storable(text: str) -> str:
    return "".join("\ufffd" if 0xD800 <= ord(char) < 0xE000 else char for char in text)


@given(REQUEST)
def test_the_pieces_make_the_json_of_the_message(request: SendRequest) -> None:
    assert isinstance(request.body, str)
    content = asyncio.run(written(request))
    assert content.isascii()
    expected = {
        "sender": request.sender,
        "recipient": [storable(recipient) for recipient in request.recipients],
        "subject": storable(request.subject),
        "body": storable(request.body),
        "username": "user",
        "password": 'p"w',
    }
    value = json.loads(content)
    files = value.pop("attachments", [])
    assert value == expected
    for file, attachment in zip(files, request.attachments, strict=True):
        assert file["name"] == storable(attachment.name)
        prefix, _, encoded = file["file"].partition(",")
        assert prefix == f"data:{attachment.media_type};base64"
        assert base64.b64decode(encoded, validate=True) == attachment.content


@settings(max_examples=10)
@given(st.integers(min_value=-2, max_value=2), st.integers(min_value=1, max_value=3))
def test_slices_of_a_large_file_join_without_a_seam(more: int, slices: int) -> None:
    content = bytes(range(256)) * (slices * FILE_SLICE_BYTES // 256) + b"\x00" * max(more, 0)
    request = SendRequest(
        "a@x", ("b@x",), "s", "è\U0001f600" * 40_000, (Attachment("f", "t/t", content),)
    )
    value = json.loads(asyncio.run(written(request, "base64")))
    assert base64.b64decode(value["attachments"][0]["file"], validate=True) == content
    assert value["body"] == request.body


def test_no_secret_in_its_repr() -> None:
    upload = Upload(SendRequest("a@x", ("b@x",), "s", "b"), username="u", password="hush-hush")
    assert "hush" not in repr(upload)
