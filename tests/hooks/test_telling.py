"""What a hook is told, in which order, and when nobody takes it: on a real store, over days."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bridge.hooks.runner import AT_ONCE
from bridge.hooks.schedule import PATIENCE_S, refused_tries, revived
from bridge.model import EventKind
from bridge.store.base import Transaction
from tests.hooks.rig import DOWN, LIFE, REFUSED, TAKEN, Receiver, Rig

DAY_S = 86_400.0


async def test_each_event_is_told_once_in_the_order_of_its_message(rig: Rig) -> None:
    erp = Receiver()
    await rig.start({"erp": erp})
    await rig.happen("A", "B", "A", "C", "A", "B")
    await rig.pass_time(5)
    assert sorted(erp.taken) == [(1, "A"), (2, "B"), (3, "A"), (4, "C"), (5, "A"), (6, "B")]
    assert erp.of("A") == [1, 3, 5]
    assert erp.of("B") == [2, 6]
    assert erp.names == {number: {f"evt_{LIFE}_{number}"} for number in range(1, 7)}
    backlog, row = await rig.backlog(), await rig.row()
    assert (backlog.waiting, backlog.dead, row.delivered, row.cursor) == (0, 0, 6, 6)


async def test_a_new_hook_is_told_what_is_new(rig: Rig) -> None:
    await rig.happen("A", "B")
    erp = Receiver()
    await rig.start({"erp": erp})
    await rig.happen("C")
    await rig.pass_time(5)
    assert erp.taken == [(3, "C")]


async def test_a_hook_is_told_what_it_wants_of_whom_it_wants(rig: Rig) -> None:
    other = await rig.store.write(lambda tx: tx.add_account("b@pec.example"))
    of_a, of_b, late = Receiver(), Receiver(), Receiver()
    await rig.start({"a": of_a}, account=rig.account)
    await rig.happen("A")
    await rig.pass_time(5)
    await rig.stop()
    await rig.start({"b": of_b}, account=other)
    await rig.happen("A")
    await rig.pass_time(5)
    await rig.stop()
    await rig.start({"late": late}, kinds=[EventKind.LATE])
    await rig.happen("A")
    await rig.happen("A", kind=EventKind.LATE)
    await rig.pass_time(5)
    assert (of_a.taken, of_b.taken, late.taken) == ([(1, "A")], [], [(4, "A")])


async def test_a_message_that_is_refused_holds_up_itself_alone(rig: Rig) -> None:
    erp = Receiver(lambda number, _lane: REFUSED if number == 1 else TAKEN)
    await rig.start({"erp": erp})
    await rig.happen("A", "A", "B", "B")
    await rig.pass_time(60)
    assert erp.taken == [(3, "B"), (4, "B")]
    erp.respond = lambda _number, _lane: TAKEN
    await rig.pass_time(120)
    assert erp.of("A") == [1, 2]


async def test_a_message_that_brings_its_receiver_down_holds_up_others_for_seconds(
    rig: Rig,
) -> None:
    erp = Receiver(lambda _number, lane: DOWN if lane == "A" else TAKEN)
    await rig.start({"erp": erp})
    await rig.happen("A")
    await rig.pass_time(DAY_S)
    for lane in "BCDEF":
        await rig.happen(lane)
        await rig.pass_time(6)
        assert erp.of(lane), "whatever A was up to a moment before"


async def test_a_receiver_that_hangs_holds_up_nobody_else(rig: Rig) -> None:
    hangs = Receiver(hold=asyncio.Event())
    erp = Receiver()
    await rig.start({"hangs": hangs, "erp": erp})
    await rig.happen(*(f"M{number}" for number in range(20)))
    await rig.until(lambda: len(erp.taken) == 20)
    assert hangs.most_under_way == AT_ONCE
    assert hangs.taken == []
    assert hangs.hold is not None
    hangs.hold.set()
    await rig.until(lambda: len(hangs.taken) == 20)


async def test_a_slow_message_holds_up_no_other(rig: Rig) -> None:
    erp = Receiver(hold=asyncio.Event(), held=lambda lane: lane == "A")
    await rig.start({"erp": erp})
    await rig.happen("A", "A", "B", "C", "D", "E", "F")
    await rig.pass_time(5)
    assert sorted(lane for _, lane in erp.taken) == ["B", "C", "D", "E", "F"]
    assert erp.tries.count((1, "A")) == 1, "never two of a message at once"
    assert (2, "A") not in erp.tries


async def test_a_receiver_that_is_down_is_asked_by_one_at_a_time_and_then_told_all(
    rig: Rig,
) -> None:
    erp = Receiver(lambda _number, _lane: DOWN)
    await rig.start({"erp": erp})
    await rig.happen(*(f"M{number}" for number in range(300)))
    await rig.pass_time(3600)
    asked = len(erp.tries)
    assert asked < 750, "one each five seconds, not 300 at a time"
    assert (await rig.row()).failures > 0
    erp.respond = lambda _number, _lane: TAKEN
    await rig.pass_time(960)
    await rig.until(lambda: len(erp.taken) == 300)
    await rig.pass_time(60)  # what was taken is written down
    assert (await rig.backlog()).waiting == 0


async def test_after_three_days_all_is_dead_and_told_again_when_asked(rig: Rig) -> None:
    erp = Receiver(lambda _number, _lane: DOWN)
    await rig.start({"erp": erp})
    await rig.happen("A", "A", "B")
    await rig.pass_time(3 * DAY_S - 1000)
    assert (await rig.backlog()).dead == 0
    await rig.happen("C")
    await rig.pass_time(3000)
    backlog = await rig.backlog()
    assert (backlog.waiting, backlog.dead) == (1, 3), "each has three days of its own"
    assert [event.number for _, event in await rig.dead()] == [1, 2, 3]
    assert {row.error for row, _ in await rig.dead()} == {"nobody there"}
    assert (await rig.row()).died == 3
    erp.respond = lambda _number, _lane: TAKEN
    await rig.pass_time(960)
    assert erp.taken == [(4, "C")], "what is dead stays dead"
    await redeliver(rig)
    await rig.pass_time(60)
    assert erp.of("A") == [1, 2], "in order all the same"
    assert sorted(erp.taken) == [(1, "A"), (2, "A"), (3, "B"), (4, "C")]
    assert (await rig.backlog()).dead == 0
    assert all(len(names) == 1 for names in erp.names.values()), "it is known again"


async def redeliver(rig: Rig) -> None:
    hook = await rig.row()
    now = rig.clock.now()

    async def work(tx: Transaction) -> None:
        for row, _ in await tx.dead_deliveries(None, 100):
            await tx.keep_delivery(revived(row, hook, now))

    await rig.store.write(work)
    rig.wake()


@pytest.mark.slow
async def test_what_is_refused_for_three_days_lets_the_next_of_its_message_go(rig: Rig) -> None:
    erp = Receiver(lambda number, _lane: REFUSED if number == 1 else TAKEN)
    await rig.start({"erp": erp})
    await rig.happen("A", "A")
    await rig.pass_time(PATIENCE_S - 3600)
    assert erp.taken == []
    await rig.pass_time(10 * 3600)
    assert erp.taken == [(2, "A")]
    assert [row.tries for row, _ in await rig.dead()] == [len(refused_tries()) + 1]


async def test_a_crash_tells_again_what_was_not_written_down_and_misses_nothing(
    rig: Rig,
) -> None:
    erp = Receiver(hold=asyncio.Event())
    await rig.start({"erp": erp})
    await rig.happen("A", "A", "B")
    await rig.pass_time(1)
    assert sorted(erp.tries) == [(1, "A"), (3, "B")]
    await rig.stop()
    erp.hold = None
    await rig.start({"erp": erp})
    await rig.pass_time(5)
    assert erp.of("A") == [1, 2]
    assert erp.of("B") == [3]


async def test_what_is_under_way_when_the_store_fails_is_told_again(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    erp = Receiver()
    await rig.take_up({"erp": erp})
    await rig.happen("A")
    assert rig.dealer is not None
    assert await rig.dealer.deal()
    assert not await rig.dealer.deal()
    with monkeypatch.context() as patch:
        patch.setattr("bridge.store.sql.hooks.SqlHooks.drop_delivery", failing)
        with pytest.raises(OSError, match="full"):
            await rig.runners[0].run()
    assert erp.taken == [(1, "A")]
    await rig.start({"erp": erp})
    await rig.pass_time(5)
    assert erp.taken == [(1, "A")] * 2


async def failing(*_: object) -> None:
    raise OSError("full")


async def test_one_that_was_away_goes_on_or_begins_anew(rig: Rig) -> None:
    erp = Receiver()
    await rig.start({"erp": erp})
    await rig.stop()
    for away_s, heard in ((2 * DAY_S, [1]), (4 * DAY_S, [1])):
        await rig.start({})
        await rig.happen("A")
        await rig.pass_time(away_s)
        await rig.stop()
        await rig.start({"erp": erp})
        await rig.pass_time(60)
        await rig.stop()
        assert [number for number, _ in erp.taken] == heard


async def test_a_bridge_that_was_off_for_long_is_not_a_hook_that_was_away(rig: Rig) -> None:
    erp = Receiver()
    await rig.start({"erp": erp})
    await rig.stop()
    await rig.happen("A")
    await rig.clock.advance(10 * DAY_S)
    await rig.start({"erp": erp})
    await rig.pass_time(60)
    assert erp.taken == [(1, "A")]


async def test_a_hook_that_left_is_forgotten_with_its_events(rig: Rig) -> None:
    await rig.start({"erp": Receiver(lambda _number, _lane: REFUSED)})
    await rig.happen("A")
    await rig.pass_time(10)
    await rig.stop()
    for days, there in ((1, True), (89, True), (2, False)):
        await rig.start({})
        await rig.stop()
        await rig.clock.advance(days * DAY_S)
        await rig.start({})
        await rig.stop()
        names = [one.name for one in await rig.store.read(lambda tx: tx.hooks())]
        assert names == (["erp"] if there else [])


async def test_deliveries_go_with_their_events_and_the_next_of_the_message_is_told(
    rig: Rig,
) -> None:
    erp = Receiver(lambda _number, _lane: REFUSED)
    await rig.start({"erp": erp})
    await rig.happen("A", "A")
    await rig.pass_time(10)
    later = rig.clock.now() + timedelta(seconds=1)
    await rig.pass_time(60)
    await rig.happen("A", "B", "A")
    await rig.pass_time(10)
    assert await rig.store.write(lambda tx: tx.drop_events(later, 100)) == 2
    erp.respond = lambda _number, _lane: TAKEN
    await rig.pass_time(100)
    assert erp.of("A") == [3, 5]
    assert (await rig.backlog()).waiting == 0


async def test_a_clock_that_ran_ahead_holds_up_nothing_once_it_is_right(rig: Rig) -> None:
    erp = Receiver(lambda _number, _lane: REFUSED)
    rig.clock.wrong_by = timedelta(days=400)
    await rig.start({"erp": erp})
    await rig.happen("A")
    await rig.pass_time(60)
    erp.respond = lambda _number, _lane: DOWN
    await rig.happen("B")
    await rig.pass_time(60)
    erp.respond = lambda _number, _lane: TAKEN
    rig.clock.wrong_by = timedelta(0)
    await rig.pass_time(120)
    assert sorted(erp.taken) == [(1, "A"), (2, "B")]


async def test_a_thousand_events_are_dealt_out_in_pieces(rig: Rig) -> None:
    erp = Receiver()
    await rig.start({"erp": erp})
    await rig.happen(*(f"M{number % 7}" for number in range(1000)))
    await rig.until(lambda: len(erp.taken) == 1000)
    for lane in range(7):
        assert erp.of(f"M{lane}") == sorted(erp.of(f"M{lane}"))
