"""Connections within the descriptors there are."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from bridge.app.room import (
    LEAST_CONNECTIONS,
    WANTED_DESCRIPTORS,
    Descriptors,
    Room,
    allowed_descriptors,
    make_room,
    open_descriptors,
    shared_out,
)
from bridge.limits import DESCRIPTORS_RESERVED, IMAP_CONNECTIONS, SMTP_CONNECTIONS, WEB_CONNECTIONS
from tests.fakes import FakeClock


@pytest.mark.parametrize("descriptors", [WANTED_DESCRIPTORS, 8192, 2**30])
def test_enough_descriptors_leave_all_the_room(descriptors: int) -> None:
    assert shared_out(descriptors) == Room(IMAP_CONNECTIONS, SMTP_CONNECTIONS, WEB_CONNECTIONS)


@pytest.mark.parametrize("descriptors", [200, 256, 400, 800])
def test_few_descriptors_leave_room_for_the_rest(descriptors: int) -> None:
    room = shared_out(descriptors)
    assert room.imap + room.smtp + room.web + DESCRIPTORS_RESERVED <= descriptors
    assert min(room.imap, room.smtp, room.web) >= LEAST_CONNECTIONS


@pytest.mark.parametrize("descriptors", [0, 64, 128])
def test_next_to_no_descriptors_leave_a_little(descriptors: int) -> None:
    assert shared_out(descriptors) == Room(LEAST_CONNECTIONS, LEAST_CONNECTIONS, LEAST_CONNECTIONS)


def test_the_limit_is_raised_as_far_as_it_may_be() -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
        room = make_room()
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        assert room == shared_out(soft)
        assert soft == min(before[1], WANTED_DESCRIPTORS) or before[1] == resource.RLIM_INFINITY
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_that_descriptors_run_out_is_said_once(clock: FakeClock) -> None:
    counts: list[int | OSError] = [10, 95, 96, OSError(errno.EMFILE, "Too many open files"), 50, 99]

    def count() -> int:
        one = counts.pop(0)
        if isinstance(one, OSError):
            raise one
        return one

    watch = Descriptors(clock, 100, count)
    with structlog.testing.capture_logs() as lines:
        while counts:
            watch.look()
    assert [line["event"] for line in lines] == [
        "descriptors_exhausted",
        "descriptors_back",
        "descriptors_exhausted",
    ]


def taken() -> Iterator[int]:
    """Take every descriptor there is."""
    with contextlib.suppress(OSError):
        while True:
            yield os.dup(0)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="the system does not say")
def test_descriptors_are_counted_and_their_end_is_known(clock: FakeClock) -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    with open(os.devnull) as one:
        counted = open_descriptors()
        assert counted is not None
        assert counted > one.fileno() // 2
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (one.fileno() + 1, before[1]))
            watch = Descriptors(clock, allowed_descriptors())
            held = list(taken())
            with structlog.testing.capture_logs() as lines:
                watch.look()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
            for number in held:
                os.close(number)
    assert [line["event"] for line in lines] == ["descriptors_exhausted"]
