"""What tests do to a simulator besides calling it."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random

import pytest

from bridge.simulator import (
    READINGS,
    SEQUENCE_READING,
    Delays,
    Ids,
    ListingOrder,
    Options,
    Simulator,
)
from tests.fakes import FakeClock
from tests.simulator.caller import ADDRESS, Caller, calling

HOSTILE: list[tuple[object, object]] = [
    ({"sender": None, "recipient": None, "date": None, "object": None, "id": 7}, None),
    ({"id": -1}, {"body": None}),
    ({"id": "../../etc"}, {}),
    ({"id": 1e300, "object": "a\r\nBcc: x@y.z"}, {"object": "a\r\nBcc: x@y.z"}),
    (None, None),
    (["list"], "string"),
    ({"object": "\x00\ud800"}, {"body": "\x00\ud800"}),
]


@pytest.mark.parametrize(("listing", "single"), HOSTILE, ids=range(len(HOSTILE)))
async def test_hostile_rows_are_shown_as_they_are(
    api: Caller, simulator: Simulator, listing: object, single: object
) -> None:
    simulator.inject(ADDRESS, subject="buona")
    simulator.inject_raw(ADDRESS, listing, single)
    good, hostile = await api.rows()
    assert good["object"] == "buona"
    if not isinstance(listing, dict) or "id" in listing:
        assert hostile == listing
    else:
        assert hostile["id"] == 2
    answer = await api.get("/inbox/2")
    assert answer.status_code == 200
    if single != {"body": "\x00\ud800"}:
        assert answer.json()["data"] == single


async def test_a_huge_body_is_served(api: Caller, simulator: Simulator) -> None:
    simulator.inject(ADDRESS, subject="grande", body="è" * 5_000_000)
    body = (await api.get("/inbox/1")).json()["data"]["body"]
    assert len(body) == 30_000_000


async def test_rows_vanish_as_if_deleted_elsewhere(api: Caller, simulator: Simulator) -> None:
    for subject in ("una", "due", "tre", "quattro"):
        simulator.inject(ADDRESS, subject=subject)
    simulator.delete(ADDRESS, simulator.inbox(ADDRESS)[1].row)
    assert simulator.delete_where(ADDRESS, lambda row: row.subject == "quattro") == 1
    assert await api.subjects() == ["una", "tre"]


async def test_injected_dates_need_not_be_now(api: Caller, simulator: Simulator) -> None:
    simulator.inject(ADDRESS, subject="una", at=datetime(2025, 7, 1, 10, 0, tzinfo=UTC))
    assert (await api.rows())[0]["date"] == "Tue, 01 Jul 2025 12:00:00 +0200"


@pytest.mark.parametrize("options", READINGS.values(), ids=READINGS)
async def test_seeding_is_the_same_every_time(options: Options, clock: FakeClock) -> None:
    seen = []
    for _ in range(2):
        simulator = Simulator(options, clock)
        async with calling(simulator) as api:
            simulator.seed(ADDRESS, 30)
            rows = await api.rows()
            bodies = [(await api.get(f"/inbox/{row['id']}")).text for row in rows]
        seen.append((rows, bodies))
    assert seen[0] == seen[1]
    assert len(set(seen[0][1])) == 25


def test_seeding_ends_at_the_date_given_and_weighs_what_was_asked(clock: FakeClock) -> None:
    simulator = Simulator(SEQUENCE_READING, clock)
    simulator.add_mailbox(ADDRESS, "x")
    newest = datetime(2026, 1, 1, tzinfo=UTC)
    simulator.seed(ADDRESS, 10, newest=newest, body_bytes=8_000)
    rows = [listed.row for listed in simulator.inbox(ADDRESS)]
    assert rows[-1].at == newest
    assert [row.at for row in rows] == sorted(row.at for row in rows)
    assert 7_500 < len(rows[0].text) < 8_500


async def test_a_hundred_thousand_rows_are_listed_to_the_last(clock: FakeClock) -> None:
    simulator = Simulator(SEQUENCE_READING.replace(order=ListingOrder.NEWEST), clock)
    async with calling(simulator) as api:
        simulator.seed(ADDRESS, 100_000)
        assert [row["id"] for row in await api.rows(page=4000)] == list(range(25, 0, -1))
        assert (await api.get("/inbox/50000")).status_code == 200
        assert (await api.delete("/inbox/50000")).status_code == 200
        assert len(simulator.inbox(ADDRESS)) == 99_999


def test_options_are_read_from_text() -> None:
    options = SEQUENCE_READING.with_settings(
        {
            "ids": "stable",
            "order": "newest_pages",
            "page-base": "0",
            "quota_unit": "byte",
            "latency_s": "0.05",
            "delivery_s": "3",
            "retry_after_s": "none",
            "keep_content": "no",
            "token": "abc",
            "subject_limit": "40",
        }
    )
    assert options == SEQUENCE_READING.replace(
        ids=Ids.STABLE,
        order=ListingOrder.NEWEST_PAGES,
        page_base=0,
        quota_unit=options.quota_unit,
        latency_s=0.05,
        delays=Delays(delivery_s=3),
        retry_after_s=None,
        keep_content=False,
        token="abc",
        subject_limit=40,
    )
    assert options.quota_unit.value == 1


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"colour": "red"}, "no option is called 'colour'; there are: .*acceptance_s.*"),
        ({"delays": "3"}, "no option is called 'delays'"),
        ({"ids": "random"}, "ids can't be 'random'; it is one of: stable, sequence"),
        ({"latency_s": "fast"}, "latency_s must be a number, not 'fast'"),
        ({"delivery_s": "-1"}, "delivery_s must not be negative"),
        ({"page_base": "2"}, "page_base must be 0 or 1"),
        ({"code_digits": "14"}, "code_digits must be between 15 and 20"),
        ({"page_size": "0"}, "page_size must be positive"),
        ({"latency_s": "-1"}, "times must not be negative"),
    ],
    ids=str,
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, str], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        SEQUENCE_READING.with_settings(settings)


async def test_the_same_seed_gives_the_same_codes(clock: FakeClock) -> None:
    codes = []
    for _ in range(2):
        simulator = Simulator(SEQUENCE_READING, clock, Random(5))
        async with calling(simulator) as api:
            await api.send()
            await api.send()
        codes.append([sent.code for sent in simulator.sent])
    assert codes[0] == codes[1]


@pytest.fixture
def mailbox(simulator: Simulator) -> Simulator:
    simulator.add_mailbox(ADDRESS, "x")
    return simulator


def elsewhere(simulator: Simulator) -> list[str]:
    return [listed.row.subject for listed in simulator.inbox(ADDRESS)]


def test_what_the_webmail_sends_has_no_code(mailbox: Simulator) -> None:
    assert mailbox.send_elsewhere(ADDRESS, "Diffida", ["a@altra.invalid"]) == ""
    assert elsewhere(mailbox)[0] == "ACCETTAZIONE: Diffida"


def test_what_another_program_sends_has_one(mailbox: Simulator) -> None:
    code = mailbox.send_elsewhere(ADDRESS, "Diffida", ["a@altra.invalid"], coded=True)
    assert elsewhere(mailbox)[0] == f"ACCETTAZIONE: Diffida {code}"
    assert mailbox.sent == []


def test_a_receipt_that_is_forwarded_has_receipts_of_its_own(mailbox: Simulator) -> None:
    code = mailbox.send_elsewhere(ADDRESS, "Diffida", ["a@altra.invalid"], coded=True)
    row = mailbox.inbox(ADDRESS)[0].row
    before = len(mailbox.inbox(ADDRESS))
    mailbox.forward(ADDRESS, row, ["avvocato@studio.invalid"])
    own = mailbox.inbox(ADDRESS)[before].row
    assert own.subject == f"ACCETTAZIONE: I: ACCETTAZIONE: Diffida {code}"
    assert "avvocato@studio.invalid" in own.text


def test_a_code_can_be_given_twice(mailbox: Simulator) -> None:
    mailbox.repeat_code("2026011510000092")
    codes = {mailbox.send_elsewhere(ADDRESS, one, ["a@b.invalid"], coded=True) for one in "xy"}
    assert codes == {"2026011510000092"}
    mailbox.repeat_code("")
    assert mailbox.send_elsewhere(ADDRESS, "z", ["a@b.invalid"], coded=True) not in codes
