"""The list of mailboxes: one spelling for each name, none that cannot be, all to be reached."""

from __future__ import annotations

import unicodedata

import pytest

from bridge.imap.mailboxname import encode
from bridge.store.base import Store
from tests.bound import bound
from tests.imapserver.client import Client, Rig, message

NAMES = {
    "accent": "Fatture Citta\u0300",
    "two marks": "A\u0323\u0307rea",
    "Korean": "\u1112\u1161\u11ab",
    "singleton": "\u212bngstr\u00f6m",
    "below INBOX": "inbox/Perche\u0301",
}


def names(lines: list[str]) -> list[str]:
    """Return the names that LIST, LSUB or STATUS lines tell."""
    return [line.split(' "/" ')[1].strip('"') for line in lines if ' "/" ' in line]


@pytest.mark.parametrize("written", NAMES.values(), ids=NAMES.keys())
@pytest.mark.parametrize("utf8", [True, False], ids=["UTF-8", "modified UTF-7"])
async def test_a_name_has_one_spelling_in_every_command(rig: Rig, written: str, utf8: bool) -> None:
    client = await rig.client()
    if utf8:
        await client.ok("ENABLE IMAP4rev2")
    spelled = unicodedata.normalize("NFC", written).replace("inbox", "INBOX")

    def name(value: str) -> str:
        return f'"{value}"' if utf8 else f'"{encode(value)}"'

    await client.ok(f"CREATE {name(written)}")
    assert (await client.tagged(f"CREATE {name(spelled)}")).startswith("NO [ALREADYEXISTS]")
    for each in (written, spelled):
        shown = names(await client.ok(f'LIST "" {name(each)}'))
        assert shown == [spelled if utf8 else encode(spelled)]
        await client.ok(f"SUBSCRIBE {name(each)}")
        assert names(await client.ok(f'LSUB "" {name(each)}')) == shown
        await client.ok(f"UNSUBSCRIBE {name(written)}")
        assert (await client.append(name(each), message("m"))).startswith("OK")
        await client.ok(f"STATUS {name(each)} (MESSAGES)")
        await client.ok(f"GETQUOTAROOT {name(each)}")
        await client.ok(f"SELECT {name(each)}")
        await client.ok(f"COPY 1 {name(each)}")
        await client.ok(f"UID MOVE 1 {name(each)}")
        await client.ok(f"EXAMINE {name(each)}")
        await client.ok(f"NOTIFY SET (mailboxes {name(each)} (MessageNew MessageExpunge))")
        await client.ok("NOTIFY NONE")
        await client.ok("UNSELECT")
        await client.ok(f"RENAME {name(each)} Altra")
        await client.ok(f"RENAME Altra {name(written)}")
    await client.ok(f"DELETE {name(written)}")
    assert await client.ok(f'LIST "" {name(spelled)}') == []


async def test_who_enabled_imap4rev2_is_told_of_another_spelling(rig: Rig) -> None:
    client = await rig.client()
    await client.ok("ENABLE IMAP4rev2")
    told = '* LIST () "/" "Citt\u00e0" ("OLDNAME" ("Citta\u0300"))'
    assert await client.ok('CREATE "Citta\u0300"') == [told]
    assert told in await client.ok('SELECT "Citta\u0300"')
    assert '* LIST () "/" "Citt\u00e0"' in await client.ok('SELECT "Citt\u00e0"')
    await client.ok("CREATE Paese")
    assert await client.ok('RENAME Paese "Perche\u0301"') == [
        '* LIST () "/" "Perch\u00e9" ("OLDNAME" ("Perche\u0301"))'
    ]
    assert '* LIST () "/" "INBOX"' in await client.ok("SELECT inbox")


async def test_who_did_not_is_not(rig: Rig) -> None:
    client = await rig.client()
    assert await client.ok(f'CREATE "{encode(chr(0x212B))}"') == []
    assert await client.ok(f'RENAME "{encode(chr(0xC5))}" "{encode("e" + chr(0x301))}"') == []


@pytest.mark.parametrize("name", ["Ditta A&BCD-E", "R&AOA-D", "a&-b"])
async def test_an_ampersand_is_a_letter_where_names_are_utf8(rig: Rig, name: str) -> None:
    plain, utf8 = await rig.client(), await rig.client()
    await utf8.ok("ENABLE UTF8=ACCEPT")
    await utf8.ok(f'CREATE "{name}"')
    await utf8.ok(f'SELECT "{name}"')
    assert names(await plain.ok(f'LIST "" "{encode(name)}"')) == [encode(name)]


INVALID = {
    "empty": '""',
    "only a delimiter": '"/"',
    "an empty level": '"a//b"',
    "a level before": '"/a"',
    "wildcard": '"a*"',
    "per cent": '"a%b"',
    "tab": '"a\tb"',
    "DEL": '"a\x7f"',
    "C1": '"a\x85b"',
    "C1, last": '"a\x9f"',
    "line separator": '"a\u2028b"',
    "paragraph separator": '"a\u2029b"',
    "too long": '"' + "a" * 256 + '"',
    "too long in UTF-8": '"' + "\u00e0" * 128 + '"',
}
COMMANDS = (
    "CREATE {}",
    "RENAME Old {}",
    "SUBSCRIBE {}",
    "UNSUBSCRIBE {}",
    "SELECT {}",
    "EXAMINE {}",
    "STATUS {} (MESSAGES)",
    "DELETE {}",
    "RENAME {} New",
    "GETQUOTAROOT {}",
    "COPY 1 {}",
    "UID MOVE 1 {}",
)


@pytest.mark.parametrize("name", INVALID.values(), ids=INVALID.keys())
@pytest.mark.parametrize("enable", ["", "ENABLE IMAP4rev2", "ENABLE UTF8=ACCEPT"])
async def test_what_can_be_no_name_is_refused_everywhere(rig: Rig, name: str, enable: str) -> None:
    await rig.add()
    client = await rig.client()
    if enable:
        await client.ok(enable)
    await client.ok("CREATE Old")
    for command in COMMANDS:
        await client.ok("SELECT INBOX")
        answer = await client.tagged(command.format(name))
        assert answer.startswith("NO ["), (command, answer)
        assert not answer.startswith("NO [TRYCREATE]"), command
    assert (await client.append(name, message("m"))).startswith("NO [CANNOT]")
    assert len(await client.ok('LIST "" *')) == 6
    assert len(await client.ok('LSUB "" *')) == 5


async def test_what_was_subscribed_to_before_can_be_dropped(rig: Rig) -> None:
    mailboxes, account = rig.services.mailboxes, rig.account
    await mailboxes.write(lambda transaction: transaction.subscribe(account, ""))
    client = await rig.client()
    await client.ok('UNSUBSCRIBE ""')
    assert "" not in await mailboxes.subscriptions(account)


async def test_names_of_before_get_their_one_spelling(rig: Rig, store: Store) -> None:
    mailboxes, account = rig.services.mailboxes, rig.account
    for name in ("Citta\u0300", "Citta\u0300/2026", "Perche\u0301", "Perch\u00e9", "Altra"):
        await mailboxes.write(
            bound(lambda transaction, name: transaction.create(account, name), name)
        )
        await mailboxes.write(
            bound(lambda transaction, name: transaction.subscribe(account, name), name)
        )
    assert await mailboxes.open_account("azienda@pec.example") == account
    found = {box.name for box in await mailboxes.mailboxes(account)}
    assert found >= {"Citt\u00e0", "Citt\u00e0/2026", "Perch\u00e9", "Perch\u00e9 2", "Altra"}
    assert all(unicodedata.is_normalized("NFC", name) for name in found)
    subscribed = await mailboxes.subscriptions(account)
    assert {"Citt\u00e0", "Citt\u00e0/2026", "Perch\u00e9", "Altra"} <= set(subscribed)
    assert all(unicodedata.is_normalized("NFC", name) for name in subscribed)


# -- levels that were deleted ------------------------------------------------------------------


async def listed(client: Client, command: str) -> list[str]:
    return [line.removeprefix("* LIST ").replace(' "/"', "") for line in await client.ok(command)]


async def test_a_deleted_level_is_shown_while_others_are_below(rig: Rig) -> None:
    client = await rig.client()
    await client.ok("CREATE zd/1/2")
    await client.ok("DELETE zd")
    assert await listed(client, 'LIST "" z%') == [r"(\Noselect \HasChildren) zd"]
    assert await listed(client, 'LIST "" zd') == [r"(\Noselect \HasChildren) zd"]
    assert await listed(client, 'LIST "zd/" %') == [r"(\HasChildren) zd/1"]
    await client.ok("DELETE zd/1")
    assert await listed(client, 'LIST "" z*') == [
        r"(\Noselect \HasChildren) zd",
        r"(\Noselect \HasChildren) zd/1",
        r"(\HasNoChildren) zd/1/2",
    ]
    assert await listed(client, 'LIST "" %/%') == [r"(\Noselect \HasChildren) zd/1"]
    assert await listed(client, 'LIST "" z% RETURN (CHILDREN)') == [
        r"(\NonExistent \HasChildren) zd"
    ]
    assert await listed(client, 'LIST () "" (zd/% z) RETURN (STATUS (MESSAGES))') == [
        r"(\NonExistent) zd/1"
    ]
    for command in ("SELECT zd", "DELETE zd", "STATUS zd (MESSAGES)"):
        assert (await client.tagged(command)).startswith("NO [NONEXISTENT]")
    await client.ok("SELECT zd/1/2")
    await client.ok("DELETE zd/1/2")
    assert await listed(client, 'LIST "" z*') == []


async def test_a_deleted_level_is_shown_to_lsub_and_recursivematch(rig: Rig) -> None:
    client = await rig.client()
    await client.ok("CREATE zd/1/2")
    for name in ("zd/1/2", "zd"):
        await client.ok(f"SUBSCRIBE {name}")
    await client.ok("DELETE zd")
    await client.ok("DELETE zd/1")
    assert await client.ok('LSUB "" z%') == [r'* LSUB (\Noselect) "/" zd']
    assert await client.ok('LSUB "" zd/%') == [r'* LSUB (\Noselect) "/" zd/1']
    await client.ok("UNSUBSCRIBE zd")
    assert await client.ok('LSUB "" z%') == [r'* LSUB (\Noselect) "/" zd']
    assert await listed(client, 'LIST (SUBSCRIBED RECURSIVEMATCH) "" z%') == [
        r'(\NonExistent \HasChildren) zd ("CHILDINFO" ("SUBSCRIBED"))'
    ]
    assert await listed(client, 'LIST (SUBSCRIBED RECURSIVEMATCH) "" zd/%') == [
        r'(\NonExistent \HasChildren) zd/1 ("CHILDINFO" ("SUBSCRIBED"))'
    ]


async def test_levels_above_are_told_for_what_is_not_told_itself(rig: Rig) -> None:
    client = await rig.client()
    for name in ("a/b/c", "d/e"):
        await client.ok(f"CREATE {name}")
        await client.ok(f"SUBSCRIBE {name}")
    await client.ok("SUBSCRIBE d")
    recursive = 'LIST (SUBSCRIBED RECURSIVEMATCH) ""'
    assert await listed(client, f"{recursive} a*") == [r"(\Subscribed \HasNoChildren) a/b/c"]
    assert await listed(client, f"{recursive} (a a/b)") == [
        r'(\HasChildren) a ("CHILDINFO" ("SUBSCRIBED"))',
        r'(\HasChildren) a/b ("CHILDINFO" ("SUBSCRIBED"))',
    ]
    assert await listed(client, f"{recursive} d*") == [
        r'(\Subscribed \HasChildren) d ("CHILDINFO" ("SUBSCRIBED"))',
        r"(\Subscribed \HasNoChildren) d/e",
    ]


async def test_a_deleted_level_can_be_renamed_and_made_again(rig: Rig) -> None:
    client = await rig.client()
    await client.ok("CREATE zd/1/2")
    await client.ok("DELETE zd")
    assert (await client.tagged("RENAME zd zd/x")).startswith("NO [CANNOT]")
    await client.ok("RENAME zd ze")
    assert await listed(client, 'LIST "" z*') == [
        r"(\Noselect \HasChildren) ze",
        r"(\HasChildren) ze/1",
        r"(\HasNoChildren) ze/1/2",
    ]
    await client.ok("CREATE ze")
    assert await listed(client, 'LIST "" z%') == [r"(\HasChildren) ze"]
    assert (await client.tagged("RENAME zd zf")).startswith("NO [NONEXISTENT]")


async def test_a_rename_that_makes_a_name_too_long_does_nothing(rig: Rig) -> None:
    client = await rig.client()
    await client.ok("CREATE z/" + "a" * 200)
    assert (await client.tagged("RENAME z " + "b" * 100)).startswith("NO [CANNOT]")
    assert len(await client.ok('LIST "" z*')) == 2
