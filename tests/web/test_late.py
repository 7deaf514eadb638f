"""The application that is loaded with its first request."""

from __future__ import annotations

import asyncio

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bridge.web.late import LateApp


async def nothing_comes() -> Message:
    raise AssertionError("nothing is read")


async def nothing_goes(message: Message) -> None:
    raise AssertionError(f"{message} is sent")


class Loading:
    """Loads an application that notes what it was asked, when it is let."""

    def __init__(self, faults: int = 0) -> None:
        self.loaded = 0
        self.asked: list[str] = []
        self.let = asyncio.Event()
        self._faults = faults

    async def load(self) -> ASGIApp:
        await self.let.wait()
        self.loaded += 1
        if self.loaded <= self._faults:
            raise ImportError("not there")
        return self.answer

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked.append(scope["path"])


async def test_it_is_loaded_once_with_the_first_of_many_requests() -> None:
    loading = Loading()
    app = LateApp(loading.load)
    requests = [
        asyncio.ensure_future(app({"path": path}, nothing_comes, nothing_goes)) for path in "abc"
    ]
    await asyncio.sleep(0)
    assert loading.asked == []
    loading.let.set()
    await asyncio.gather(*requests)
    await app({"path": "d"}, nothing_comes, nothing_goes)
    assert (loading.loaded, loading.asked) == (1, ["a", "b", "c", "d"])


async def test_what_cannot_be_loaded_is_tried_again() -> None:
    loading = Loading(faults=1)
    loading.let.set()
    app = LateApp(loading.load)
    with pytest.raises(ImportError):
        await app({"path": "a"}, nothing_comes, nothing_goes)
    await app({"path": "b"}, nothing_comes, nothing_goes)
    assert loading.asked == ["b"]
