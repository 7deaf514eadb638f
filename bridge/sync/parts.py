"""What works together for one account, and how it is put together: nobody knows who knows him."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from bridge.api.purpose import Purpose
from bridge.clock import Clock
from bridge.mailbox import Mailboxes
from bridge.receipts.filing import Filing
from bridge.store.base import Store
from bridge.sync.absence import Absence
from bridge.sync.alarm import AccountAlarms
from bridge.sync.capacity import Capacity
from bridge.sync.clearing import Clearing, ClearingRule
from bridge.sync.clearings import Clearings
from bridge.sync.deleting import Wishes
from bridge.sync.deletion import Deleter
from bridge.sync.deletions import Deletions
from bridge.sync.fetching import Fetcher, TextKind
from bridge.sync.filer import Filer
from bridge.sync.listing import Listing
from bridge.sync.locating import Way
from bridge.sync.memory import AccountMemory
from bridge.sync.pace import Pace
from bridge.sync.pages import ListingPages, Pages
from bridge.sync.rows import Rows
from bridge.sync.settings import SyncAccount, SyncSettings
from bridge.sync.sight import Sight
from bridge.sync.telling import Teller
from bridge.sync.texts import RowTexts
from bridge.sync.twins import Twins
from bridge.sync.wanted import Wanted


@dataclass(frozen=True, slots=True)
class Parts:
    """One account's; ``asked`` reads pages because a person asked."""

    memory: AccountMemory
    rows: Rows
    texts: RowTexts
    deletions: Deletions
    filer: Filer
    teller: Teller
    pace: Pace
    asked: Pages
    listing: Listing
    fetcher: Fetcher
    deleter: Deleter
    clearing: Clearing
    capacity: Capacity
    twins: Twins
    wanted: Wanted


def assemble(
    account: SyncAccount,
    store: Store,
    mailboxes: Mailboxes,
    filing: Filing,
    clock: Clock,
    random: Random,
    settings: SyncSettings,
) -> Parts:
    """Put together what works for one account.

    Args:
        account: whom to follow.
        store: rows.
        mailboxes: the single writer, and who watches.
        filing: makes messages of rows and bodies.
        clock: time.
        random: jitter.
        settings: how.
    """
    memory = AccountMemory(store, account.id)
    rows, texts = Rows(store, memory, clock), RowTexts(store, memory)
    alarms = AccountAlarms(store, mailboxes, clock, account.id)
    teller = Teller(alarms, clock, account.address)
    filer = Filer(filing, mailboxes, rows, memory, clock, settings.delete)
    deletions = Deletions(store, mailboxes, memory, clock, settings.delete)
    clearings = Clearings(store, clock, account.id)

    def way(purpose: Purpose) -> Way:
        return Way.charged(account.client, purpose, rows, memory)

    is_always = settings.text == "always"
    bodies, asking = way(Purpose.BODY), way(Purpose.COMMAND)
    ways = {
        TextKind.LATELY: way(Purpose.ARRIVAL),
        TextKind.EARLIER: bodies,
        TextKind.PROVING: way(Purpose.BODY if is_always else Purpose.RECEIPT),
        TextKind.CONFIRMING: way(Purpose.BODY if is_always else Purpose.CONFIRMATION),
    }
    pages = ListingPages.of(account.client)
    absence = Absence(pages.sweeps, rows, filer, memory, clock)
    listing = Listing(pages, rows, absence, memory, clock)
    rule = ClearingRule.parse(settings.clear_at_api)

    def deleter(purpose: Purpose, wishes: Wishes) -> Deleter:
        own = way(purpose)
        sight = Sight(listing, Pages(own.client), memory, clock)
        verifying = way(Purpose.VERIFICATION)
        budget = account.budget
        return Deleter(own, verifying, wishes, rows, texts, filer, teller, sight, budget, clock)

    quota = account.client.charged(Purpose.QUOTA)
    return Parts(
        memory=memory,
        rows=rows,
        texts=texts,
        deletions=deletions,
        filer=filer,
        teller=teller,
        pace=Pace(account, mailboxes, clock, random, settings.interval_s),
        asked=Pages(asking.client),
        listing=listing,
        fetcher=Fetcher(ways, texts, rows, filer, memory, clock),
        deleter=deleter(Purpose.DELETION, deletions),
        clearing=Clearing(rule, clearings, deleter(Purpose.CLEARING, clearings), teller, clock),
        capacity=Capacity(quota, memory, alarms, clock, account.address),
        twins=Twins(bodies, rows, filer, memory, clock),
        wanted=Wanted(asking, rows, filer, memory),
    )
