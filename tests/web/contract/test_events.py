"""Events as a program reads them: in order, from where it left off, and nothing of others."""

from __future__ import annotations

from bridge.app.housekeeping import EVENTS_KEPT, Housekeeping
from tests.web.contract.conftest import AZIENDA, STUDIO, Office


async def test_a_program_reads_on_from_where_it_left_off(office: Office) -> None:
    erp = await office.erp()
    office.rig.start()
    for number in range(4):
        await office.rig.submit(f"Prova {number}", account=number % 2)
    await office.rig.pass_time(10)
    told, after = [], 0
    while True:
        page = await erp.ask("events", after=after, limit=1)
        if not page["events"]:
            break
        told += page["events"]
        after = page["next"]
    assert told == (await office.do("events", account=AZIENDA))["events"]
    assert [one["event"] for one in told] == ["queued", "queued", "submitted", "submitted"]
    assert [one["number"] for one in told] == sorted(one["number"] for one in told)
    assert page == {"events": [], "next": after, "missing": False}
    studio = await office.erp("studio", STUDIO)
    theirs = (await studio.ask("events"))["events"]
    assert {one["account"] for one in theirs} == {STUDIO}
    assert not {one["number"] for one in told} & {one["number"] for one in theirs}


async def test_what_is_older_than_what_is_kept_is_said_to_be_missing(office: Office) -> None:
    erp = await office.erp()
    for number in range(3):
        await office.rig.submit(f"Prova {number}")
    await office.clock.advance(EVENTS_KEPT.total_seconds() + 1)
    await office.rig.submit("Altra")
    await Housekeeping(office.rig.mailboxes, office.clock).forget_events()
    page = await erp.ask("events", after=1)
    assert (page["missing"], len(page["events"])) == (True, 1)
    assert not (await erp.ask("events", after=page["next"]))["missing"]
