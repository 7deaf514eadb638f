"""Connections within the descriptors there are."""

from __future__ import annotations

import pytest

from bridge.app.room import LEAST_CONNECTIONS, WANTED_DESCRIPTORS, Room, make_room, shared_out
from bridge.limits import DESCRIPTORS_RESERVED, IMAP_CONNECTIONS, SMTP_CONNECTIONS


@pytest.mark.parametrize("descriptors", [WANTED_DESCRIPTORS, 8192, 2**30])
def test_enough_descriptors_leave_all_the_room(descriptors: int) -> None:
    assert shared_out(descriptors) == Room(IMAP_CONNECTIONS, SMTP_CONNECTIONS)


@pytest.mark.parametrize("descriptors", [200, 256, 400, 800])
def test_few_descriptors_leave_room_for_the_rest(descriptors: int) -> None:
    room = shared_out(descriptors)
    assert room.imap + room.smtp + DESCRIPTORS_RESERVED <= descriptors
    assert room.imap >= LEAST_CONNECTIONS <= room.smtp


@pytest.mark.parametrize("descriptors", [0, 64, 128])
def test_next_to_no_descriptors_leave_a_little(descriptors: int) -> None:
    assert shared_out(descriptors) == Room(LEAST_CONNECTIONS, LEAST_CONNECTIONS)


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
