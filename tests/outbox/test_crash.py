"""Kills after any commit, in any story: nothing is lost, nothing is sent twice, no state lies.

A story is a list of steps: messages are submitted and taken back, answers come or are lost in
every way the simulator knows, time passes, and the process is stopped, killed at once, or killed
just before or after one of its next commits. What was in memory is then gone, and a new process
opens the same file. A client that got no ``250`` submits its message again, as clients do; some
submit again what got one. In other stories a backup is put back.

In the end the faults stop, time passes, and the tale is compared with what the simulator saw.
"""

from __future__ import annotations

import asyncio
import itertools
import shutil
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.api.ratelimit import LEAD_S
from bridge.model import NEVER_LEFT, QueueId, SubmissionState
from bridge.outbox import dispatcher, lineage
from bridge.outbox.decision import DecisionRefused
from bridge.simulator import Failure, FixedAnswer, Operation, Phase, Simulator
from tests.fakes import FakeClock
from tests.outbox.fragile import Crash
from tests.outbox.rig import Rig, simulated, starts
from tests.selected import some

State = SubmissionState
OPEN = frozenset(State) - {State.SUBMITTED, State.REFUSED, State.CANCELLED, State.DROPPED}
INTERVAL_S = 1.0

FAULTS: dict[str, tuple[Phase, Failure | FixedAnswer]] = {
    "unreachable": (Phase.BEFORE, Failure.CONNECT_ERROR),
    "reset before": (Phase.BEFORE, Failure.RESET),
    "broken while writing": (Phase.DURING, Failure.WRITE_ERROR),
    "timeout after": (Phase.AFTER, Failure.TIMEOUT),
    "answer cut off": (Phase.AFTER, Failure.TRUNCATED),
    "500 after": (Phase.AFTER, FixedAnswer(500, {"success": False, "message": "MySQL Error 2006"})),
    "503 instead": (Phase.INSTEAD, FixedAnswer(503)),
    "garbled after": (Phase.AFTER, FixedAnswer(201, b"<html>")),
    "400": (Phase.INSTEAD, FixedAnswer(400, {"success": False, "message": "no"})),
    "401": (Phase.INSTEAD, FixedAnswer(401)),
    "402": (Phase.INSTEAD, FixedAnswer(402)),
    "429": (Phase.INSTEAD, FixedAnswer(429, b"", {"Retry-After": "3"})),
}

SUBMIT = st.tuples(st.just("submit"), st.integers(0, 1), st.booleans())
FAULT = st.tuples(st.just("fault"), st.sampled_from(sorted(FAULTS)))
TIME = st.tuples(st.just("time"), st.sampled_from([0.0, 0.97, 1.0, 6.0, 61.0, 400.0, 90_000.0]))
AGAIN = st.tuples(st.just("again"), st.integers(0, 9))
TAKE_BACK = st.tuples(st.just("cancel"), st.integers(0, 9))
RETRY = st.tuples(st.just("retry"), st.integers(0, 9))
CRASH = st.tuples(st.just("crash"), st.integers(1, 5), st.booleans())
END = st.tuples(st.sampled_from(["kill", "stop", "look"]))
STORIES = st.lists(
    st.one_of(SUBMIT, SUBMIT, FAULT, TIME, CRASH, TAKE_BACK, RETRY, AGAIN, END),
    min_size=2,
    max_size=25,
)
AFTERMATHS = st.lists(st.one_of(FAULT, TIME, RETRY, END), max_size=6)


@pytest.fixture(scope="module", autouse=True)
def _looks_rarely() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dispatcher, "LOOK_AGAIN_S", 7200.0)
        patch.setattr(lineage, "BEAT_S", 7200.0)
        yield


@dataclass
class Message:
    """One message of a client: ``id`` once it got its ``250``."""

    subject: str
    account: int
    hidden: bool
    id: QueueId | None = None


@dataclass
class Story:
    """A process, its file, and what its clients know."""

    data_dir: Path
    clock: FakeClock
    simulator: Simulator
    rig: Rig
    messages: list[Message] = field(default_factory=list)
    processes: int = 1
    beating: asyncio.Task[None] | None = None

    async def tell(self, step: tuple[object, ...]) -> None:
        name, *arguments = step
        await getattr(self, str(name))(*arguments)
        await self.rig.quiet()
        await self._after_a_crash()

    async def submit(self, account: int, hidden: bool) -> None:
        message = Message(f"Messaggio numero {len(self.messages)}.", account, hidden)
        self.messages.append(message)
        await self._submit(message)

    async def _submit(self, message: Message) -> None:
        separate = ["nascosto@altra.invalid"] if message.hidden else []
        sending = asyncio.ensure_future(
            self.rig.submit(message.subject, account=message.account, separate=separate)
        )
        await self.rig.quiet()
        if sending.done():
            message.id = sending.result()

    async def fault(self, name: str) -> None:
        phase, result = FAULTS[name]
        self.simulator.faults.fail(Operation.SEND, phase, result)

    async def time(self, duration_s: float) -> None:
        await self.rig.pass_time(duration_s)

    async def cancel(self, number: int) -> None:
        await self._decide(number, self.rig.decisions.cancel)

    async def retry(self, number: int) -> None:
        await self._decide(number, self.rig.decisions.retry)

    async def again(self, number: int) -> None:
        """Submit again what is open: that is the same entry, however long it has been waiting."""
        known = [one for one in self.messages if one.id is not None]
        if not known:
            return
        message = known[number % len(known)]
        entries = [row for row in await self.rig.rows() if row.subject == message.subject]
        first, message.id = message.id, None
        if all(row.state in OPEN for row in entries):
            await self._submit(message)
        assert message.id in (None, first)
        message.id = first

    async def _decide(self, number: int, decide: Callable[[QueueId], Awaitable[object]]) -> None:
        known = [one.id for one in self.messages if one.id is not None]
        if not known:
            return
        deciding = asyncio.ensure_future(decide(known[number % len(known)]))
        await self.rig.quiet()
        if deciding.done() and not isinstance(deciding.exception(), DecisionRefused):
            deciding.result()

    async def crash(self, commits: int, written: bool) -> None:
        self.rig.store.crash(Crash(commits, written))

    async def kill(self) -> None:
        self.rig.store.crashes.set()

    async def stop(self) -> None:
        closing = asyncio.ensure_future(self.rig.close())
        hearing_of_it = asyncio.ensure_future(self.rig.store.crashes.wait())
        await asyncio.wait((closing, hearing_of_it), return_when=asyncio.FIRST_COMPLETED)
        self.rig.store.crashes.set()

    async def look(self) -> None:
        looking = asyncio.ensure_future(self._look())
        await self.rig.quiet()
        if looking.done():
            looking.result()

    async def _look(self) -> None:
        for account in self.rig.accounts:
            await self.rig.reconciler.reconcile(account)

    async def _after_a_crash(self) -> None:
        while self.rig.store.crashes.is_set():
            await self.rig.lose_memory()
            await self._start()
            for message in self.messages:
                if message.id is None and not self.rig.store.crashes.is_set():
                    await self._submit(message)

    async def _start(self) -> None:
        self.processes += 1
        self.rig = await Rig.open(
            self.data_dir,
            self.clock,
            self.simulator,
            interval_s=INTERVAL_S,
            seed=self.processes,
        )
        self.rig.start()
        self.beating = asyncio.ensure_future(self.rig.lineage.run())

    async def put_back(self, backup: Path) -> None:
        """Kill the process and put the backup in the place of its data."""
        self.rig.store.crash(None)
        self.rig.store.crashes.set()
        await self.rig.lose_memory()
        shutil.rmtree(self.data_dir)
        shutil.copytree(backup, self.data_dir)
        await self._start()

    async def end_of_backup(self) -> None:
        """Whatever was put back when, nothing was sent twice and nobody waits unseen."""
        self.simulator.faults.clear()
        await self.rig.pass_time(3 * 3600)
        await self._look()
        sent = Counter((one.subject, one.recipients) for one in self.simulator.sent)
        assert not sent or max(sent.values()) == 1, "a submission was sent twice"
        rows = await self.rig.rows()
        assert len(rows) == sum(1 + one.hidden for one in self.messages if one.id is not None)
        for row in rows:
            was_sent = (row.subject, row.recipients) in sent
            match row.state:
                case State.SUBMITTED:
                    assert was_sent
                case State.REFUSED | State.CANCELLED:
                    assert not was_sent
                case _:
                    assert row.state in (State.RESTORED, State.UNCERTAIN)
        for account in (0, 1):
            restored = any(
                row.state is State.RESTORED
                for row in rows
                if row.account == self.rig.accounts[account]
            )
            kinds = [alarm.kind for alarm in await self.rig.alarms(account)]
            assert ("restored" in kinds) is restored
        await self.rig.close()

    # -- the end ------------------------------------------------------------------------------

    async def end(self) -> None:
        self.simulator.faults.clear()
        self.rig.store.crash(None)
        await self.rig.pass_time(3 * 3600)
        await self._look()
        await self._check()
        await self.rig.close()

    async def _check(self) -> None:
        sent = {(one.subject, one.recipients): one for one in self.simulator.sent}
        assert len(sent) == len(self.simulator.sent), "a submission was sent twice"
        rows = await self.rig.rows()
        expected = Counter(one.subject for one in self.messages for _ in range(1 + one.hidden))
        assert Counter(row.subject for row in rows) == expected, "a message with a 250 is missing"
        bounces = Counter(await self._bounced())
        for row in rows:
            taken = sent.pop((row.subject, row.recipients), None)
            match row.state:
                case State.SUBMITTED:
                    assert taken is not None, "called sent, and was not"
                    assert row.code == taken.code
                case State.REFUSED | State.CANCELLED:
                    assert taken is None, f"called {row.state.value}, and was sent"
                case State.UNCERTAIN:  # of twins a person has to say which of them it was
                    assert taken is None or expected[row.subject] > 1
                case _:
                    pytest.fail(f"still {row.state.value} in the end")
            assert bounces.pop(row.id, 0) == (row.state is State.REFUSED)
            assert row.counted == (row.state in (State.SUBMITTED, State.UNCERTAIN))
        assert not sent, "something was sent that nobody submitted"
        assert not bounces
        await self._check_sent_mailboxes()
        gaps = [later - one for one, later in itertools.pairwise(starts(self.simulator))]
        assert min(gaps, default=INTERVAL_S) >= INTERVAL_S - 2 * LEAD_S

    async def _bounced(self) -> list[str]:
        mail = [one for account in (0, 1) for one in await self.rig.mail(account=account)]
        reports = [one for one in mail if one.get_content_type() == "multipart/report"]
        status = [list(one.iter_parts())[1].get_payload() for one in reports]
        return [str(cast("list[EmailMessage]", one)[0]["X-Queue-ID"]) for one in status]

    async def _check_sent_mailboxes(self) -> None:
        """Each message is shown once: in ``Sent`` if any of it may have left, else ``Unsent``."""
        rows = await self.rig.rows()
        left = {row.subject for row in rows if row.state not in NEVER_LEFT}
        for account in (0, 1):
            written = {one.subject for one in self.messages if one.account == account}
            for mailbox, expected in (("Sent", written & left), ("Unsent", written - left)):
                shown = [str(one["Subject"]) for one in await self.rig.mail(mailbox, account)]
                assert sorted(shown) == sorted(expected), mailbox


async def tell(story: list[tuple[object, ...]]) -> None:
    clock = FakeClock()
    simulator = simulated(clock)
    with TemporaryDirectory() as name:
        rig = await Rig.open(Path(name), clock, simulator, interval_s=INTERVAL_S)
        rig.start()
        tale = Story(Path(name), clock, simulator, rig)
        for step in story:
            await tale.tell(step)
        await tale.end()


@given(STORIES)
@settings(max_examples=30, deadline=None)
def test_kills_after_any_commit_lose_nothing_and_send_nothing_twice(
    story: list[tuple[object, ...]],
) -> None:
    asyncio.run(tell(story))


async def tell_of_a_backup(
    before: list[tuple[object, ...]], after: list[tuple[object, ...]]
) -> None:
    clock = FakeClock()
    simulator = simulated(clock)
    with TemporaryDirectory() as name:
        data, backup = Path(name, "data"), Path(name, "backup")
        rig = await Rig.open(data, clock, simulator, interval_s=INTERVAL_S)
        rig.start()
        tale = Story(data, clock, simulator, rig)
        for step in before:
            await tale.tell(step)
        tale.rig.store.crash(None)
        shutil.copytree(data, backup)
        for step in after:
            await tale.tell(step)
        await tale.put_back(backup)
        await tale.end_of_backup()


@given(STORIES, AFTERMATHS)
@settings(max_examples=10, deadline=None)
def test_a_backup_of_any_moment_put_back_sends_nothing_twice(
    before: list[tuple[object, ...]], after: list[tuple[object, ...]]
) -> None:
    asyncio.run(tell_of_a_backup(before, after))


@pytest.mark.slow
@given(STORIES)
@settings(max_examples=1000, deadline=None)
def test_many_more_kills(story: list[tuple[object, ...]]) -> None:
    asyncio.run(tell(story))


@pytest.mark.slow
@given(STORIES, AFTERMATHS)
@settings(max_examples=100, deadline=None)
def test_many_more_backups(
    before: list[tuple[object, ...]], after: list[tuple[object, ...]]
) -> None:
    asyncio.run(tell_of_a_backup(before, after))


@pytest.mark.parametrize("fault", ["unreachable", "timeout after", "400", "402"])
@pytest.mark.parametrize("written", [False, True], ids=["before the commit", "after it"])
@pytest.mark.parametrize("commits", some(range(1, 6), 3))
def test_a_kill_at_each_commit_of_each_fault(fault: str, commits: int, written: bool) -> None:
    story: list[tuple[object, ...]] = [
        ("submit", 0, False),
        ("time", 6.0),
        ("fault", fault),
        ("crash", commits, written),
        ("submit", 0, True),
        ("submit", 1, False),
        ("time", 61.0),
    ]
    asyncio.run(tell(story))
