"""``mailbox``: what is shown, asked, refused and sent."""

from __future__ import annotations

import io
import re
import tomllib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pypdf import PdfReader

from bridge.registration.fields import FIELDS
from bridge.simulator import AdminOperation, Failure, Phase
from bridge.simulator.registry import one_page_pdf
from tests.cli.administered import FLAGS, Administered, administered
from tests.cli.conftest import Command
from tests.operations.test_pdf import made

BOX = "azienda@pecmassiva.com"
LEGALMAIL = {"casella-pec": "a@legalmail.it", "tipo-casella": "STANDARD"}
WAYS_LOST = [Failure.TIMEOUT, Failure.RESET, Failure.DISCONNECT, Failure.TRUNCATED]


@pytest.fixture
async def world(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Administered]:
    async with administered(command, tmp_path, monkeypatch) as found:
        yield found


async def test_check_tells_free_from_taken_in_words_and_status(world: Administered) -> None:
    world.admin.registry.taken.add("presa@pecmassiva.com")
    both = ("presa@pecmassiva.com", "Libera@pecmassiva.com")
    done = await world.run("mailbox", "check", *both)
    assert done.code == 1
    assert re.search(r"presa@pecmassiva.com +taken", done.out)
    assert re.search(r"libera@pecmassiva.com +free", done.out)
    assert (await world.run("mailbox", "check", both[1])).code == 0
    found = (await world.run("mailbox", "check", both[1], "--json")).json
    assert found == [{"address": "libera@pecmassiva.com", "free": True}]


async def test_what_is_no_address_is_not_looked_up(world: Administered) -> None:
    done = await world.run("mailbox", "check", "azienda")
    assert (done.code, done.out) == (1, "")
    assert "must be a mail address" in done.err
    assert world.calls() == []


async def test_domain_tells_whether_it_is_certified(world: Administered) -> None:
    assert (await world.run("mailbox", "domain", "legalmail.it")).code == 0
    done = await world.run("mailbox", "domain", "gmail.com", "--json")
    assert (done.code, done.out) == (1, '{"domain": "gmail.com", "certified": false}\n')


async def test_register_shows_the_cost_and_asks(world: Administered) -> None:
    done = await world.run("mailbox", "register", *FLAGS, typed="n\n")
    assert (done.code, done.out.strip()) == (1, "")
    assert "99.00 EUR plus 22 % VAT: 120.78 EUR" in done.err
    assert AdminOperation.REGISTER not in world.calls()
    done = await world.run("mailbox", "register", *FLAGS, typed="y\n")
    assert done.code == 0
    assert f"address: {BOX}" in done.out
    assert "state: registrata" in done.out
    assert "pec-bridge mailbox form" in done.out
    assert world.admin.purse.credit_eur == 401.0


async def test_register_sends_what_was_given_and_nothing_else(world: Administered) -> None:
    callback = ("--callback-url", "https://www.example.it/x", "--autorinnovo")
    assert (await world.run("mailbox", "register", *FLAGS, *callback, "--yes")).code == 0
    (call,) = (one for one in world.admin.calls if one.operation is AdminOperation.REGISTER)
    assert isinstance(call.body, dict)
    assert call.body["callback"] == {"url": "https://www.example.it/x"}
    assert call.body["autorinnovo"] is True
    assert call.body["cf_piva_titolare"] == "00743110157"
    assert set(call.body) <= {one.name for one in FIELDS} | {"callback"}


async def test_every_fault_of_a_registration_at_once_and_nothing_sent(world: Administered) -> None:
    wrong = (
        "--cap-titolare",
        "187",
        "--cf-piva-titolare",
        "00743110158",
        "--sesso-richiedente",
        "F",
    )
    done = await world.run("mailbox", "register", *FLAGS, *wrong, "--yes")
    assert (done.code, done.out) == (1, "")
    for name in ("cap_titolare", "cf_piva_titolare", "codice_fiscale_richiedente"):
        assert f"  {name}: " in done.err
    assert world.calls() == []


async def test_the_template_filled_in_registers(world: Administered, tmp_path: Path) -> None:
    template = await world.run("mailbox", "register", "--template")
    assert set(tomllib.loads(template.out)) == {one.name for one in FIELDS if one.required}
    given = dict(zip(FLAGS[::2], FLAGS[1::2], strict=True))
    lines = []
    for line in template.out.splitlines():
        name = line.removeprefix("# ").partition(" = ")[0]
        flag = f"--{name.replace('_', '-')}"
        lines.append(f'{name} = "{given[flag]}"' if " = " in line and flag in given else line)
    filled = tmp_path / "registration.toml"
    filled.write_text("\n".join(lines))
    done = await world.run("mailbox", "register", "--from", filled, "--yes", "--json")
    assert done.json["address"] == BOX


@pytest.mark.parametrize("text", ["cap_titolare = 00187", "\ufffd = "])
async def test_a_file_that_is_no_toml_is_wrong_usage(
    world: Administered, tmp_path: Path, text: str
) -> None:
    (tmp_path / "r.toml").write_text(text)
    done = await world.run("mailbox", "register", "--from", tmp_path / "r.toml")
    assert done.code == 2
    assert "is not TOML" in done.err


async def test_a_doubt_is_shown_before_the_money_is_spent(world: Administered) -> None:
    slip = ("--cognome-richiedente", "Bianchi")
    done = await world.run("mailbox", "register", *FLAGS, *slip, typed="n\n")
    assert "Please check: cognome_richiedente: would give BNC" in done.err
    assert AdminOperation.REGISTER not in world.calls()


@pytest.mark.parametrize("lost", WAYS_LOST)
async def test_a_lost_answer_is_said_with_where_to_look(world: Administered, lost: Failure) -> None:
    if lost is Failure.TIMEOUT:
        text = world.config.read_text()
        world.config.write_text(text.replace("[api]\n", "[api]\ntimeout_s = 0.2\n"))
    world.admin.faults.fail(AdminOperation.REGISTER, Phase.AFTER, lost)
    done = await world.run("mailbox", "register", *FLAGS, "--yes")
    assert (done.code, done.out) == (1, "")
    assert "it was not repeated. `pec-bridge mailbox list` shows whether" in done.err
    assert world.calls().count(AdminOperation.REGISTER) == 1
    assert len((await world.run("mailbox", "list", "--json")).json) == 1


async def test_list_is_empty_and_says_what_it_cannot_see(world: Administered) -> None:
    assert (await world.run("mailbox", "list", "--json")).json == []
    done = await world.run("mailbox", "list")
    assert "No mailbox was registered" in done.out
    assert "FLAT" in done.err


async def test_list_and_show_tell_where_a_mailbox_stands(world: Administered) -> None:
    id = await world.registered()
    (row,) = (await world.run("mailbox", "list", "--json")).json
    assert (row["id"], row["address"], row["state"]) == (id, BOX, "registrata")
    for state, words in (
        ("documenti_errati", "turned away"),
        ("registrazione_annullata", "cancelled"),
        ("chiusa", "closed for good"),
        ("sospesa", "does not know"),
    ):
        world.admin.registry.move(id, state)
        shown = (await world.run("mailbox", "show", id, "--json")).json
        assert (shown["state"], words in shown["state_words"]) == (state, True)


async def test_an_active_mailbox_comes_with_its_configuration(world: Administered) -> None:
    id = await world.registered()
    world.admin.registry.move(id, "evasa")
    done = await world.run("mailbox", "show", id)
    assert f'[[account]]\naddress = "{BOX}"\n' in done.out
    assert "install -m 0600" in done.out
    account = f'\n[[account]]\naddress = "{BOX}"\npassword = {{ env = "X" }}\n'
    world.config.write_text(world.config.read_text() + account)
    assert "[[account]]" not in (await world.run("mailbox", "show", id)).out


@pytest.mark.parametrize("id", ["nonsense", "f" * 24])
@pytest.mark.parametrize(
    "words", [("show",), ("form", "-o", "x.pdf"), ("renew", "-y"), ("revoke",), ("watch",)]
)
async def test_an_unknown_id_is_one_sentence(
    world: Administered, id: str, words: tuple[str, ...]
) -> None:
    done = await world.run("mailbox", words[0], id, *words[1:])
    assert (done.code, done.out) == (1, "")
    assert done.err.count("\n") == 1
    assert "Traceback" not in done.err


async def test_form_saves_a_pdf_and_overwrites_nothing(world: Administered, tmp_path: Path) -> None:
    id = await world.registered()
    path = tmp_path / "form.pdf"
    done = await world.run("mailbox", "form", id, "-o", path, "--json")
    assert done.json == {"file": str(path), "pages": 1}
    assert len(PdfReader(path).pages) == 1
    path.write_bytes(b"signed")
    done = await world.run("mailbox", "form", id, "-o", path)
    assert (done.code, done.out) == (1, "")
    assert f"{path}: is there already, and is not overwritten: name another" in done.err
    assert path.read_bytes() == b"signed"


async def test_activate_joins_and_hands_in_one_pdf(world: Administered, tmp_path: Path) -> None:
    id = await world.registered()
    paths = [tmp_path / "form.pdf", tmp_path / "identity.pdf"]
    paths[0].write_bytes(one_page_pdf("modulo"))
    paths[1].write_bytes(made(2))
    assert (await world.run("mailbox", "activate", id, *paths, "-y")).code == 2
    done = await world.run("mailbox", "activate", id, "--join", *paths, "-y", "--json")
    assert (done.json["state"], len(done.json["documents"])) == ("in_evasione", 1)
    (handed_in,) = world.admin.registry.boxes[id].documents
    assert len(PdfReader(io.BytesIO(handed_in)).pages) == 3


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"GIF89a", "is no PDF"),
        (made(password="x"), "is encrypted"),
        (b"%PDF" * 3_000_000, "large"),
    ],
    ids=["none", "encrypted", "large"],
)
async def test_a_pdf_that_cannot_be_used_is_not_sent(
    world: Administered, tmp_path: Path, content: bytes, says: str
) -> None:
    id = await world.registered()
    path = tmp_path / "form.pdf"
    path.write_bytes(content)
    for words in ((path,), ("--join", path, path)):
        done = await world.run("mailbox", "activate", id, *words, "-y")
        assert (done.code, done.out) == (1, "")
        assert says in done.err
        assert str(path) in done.err
    assert AdminOperation.ACTIVATE not in world.calls()


async def test_a_single_page_is_asked_about(world: Administered, tmp_path: Path) -> None:
    id = await world.registered()
    (tmp_path / "form.pdf").write_bytes(made(1))
    done = await world.run("mailbox", "activate", id, tmp_path / "form.pdf", typed="n\n")
    assert "is the identity document in it" in done.err
    assert AdminOperation.ACTIVATE not in world.calls()


async def test_renew_shows_the_cost_asks_and_tells_the_new_day(world: Administered) -> None:
    id = await world.registered()
    world.admin.registry.move(id, "evasa")
    before = (await world.run("mailbox", "show", id, "--json")).json["expires_on"]
    done = await world.run("mailbox", "renew", id, "--years", "2", typed="n\n")
    assert done.code == 1
    assert "198.00 EUR plus 22 % VAT: 241.56 EUR" in done.err
    assert before in done.err
    assert AdminOperation.RENEW not in world.calls()
    renewed = (await world.run("mailbox", "renew", id, "--years", "2", "-y", "--json")).json
    assert (renewed["expired_on_before"], renewed["expires_on"] > before) == (before, True)


async def test_a_renewal_whose_answer_is_lost_is_not_repeated(world: Administered) -> None:
    id = await world.registered()
    world.admin.registry.move(id, "evasa")
    world.admin.faults.fail(AdminOperation.RENEW, Phase.AFTER, Failure.RESET)
    done = await world.run("mailbox", "renew", id, "-y")
    assert done.code == 1
    assert "shows when it expires (before: 20" in done.err
    assert world.calls().count(AdminOperation.RENEW) == 1


async def test_space_conversion_and_users_of_a_mailbox_that_has_them(world: Administered) -> None:
    id = await world.registered(**LEGALMAIL)
    world.admin.registry.move(id, "evasa")
    done = await world.run("mailbox", "space", id, "--disk", "+1024", "-y", "--json")
    assert done.json["disk_space"] == 1024
    assert "not among [prices]" in done.err
    assert (await world.run("mailbox", "convert", id, "gold", "-y", "--json")).json[
        "kind"
    ] == "GOLD"
    user = ("--name", "Luca", "--surname", "Bianchi", "--description", "prima", "--email", "l@e.it")
    assert (await world.run("mailbox", "users", id, *user, "-y")).code == 0
    (added,) = (await world.run("mailbox", "users", id, "--json")).json
    assert (added["name"], added["email"]) == ("Luca Bianchi", "l@e.it")


@pytest.mark.parametrize(
    "words",
    [
        ("space", "--disk", "1000"),
        ("space", "--disk", "-1024"),
        ("space",),
        ("convert", "PECMASSIVA"),
        ("users", "--name", "Luca"),
    ],
    ids=" ".join,
)
async def test_what_cannot_be_bought_is_said_before_anything_is_sent(
    world: Administered, words: tuple[str, ...]
) -> None:
    done = await world.run("mailbox", words[0], "f" * 24, *words[1:], "-y")
    assert (done.code, done.out) == (1, "")
    assert world.calls() == []


@pytest.mark.parametrize(
    "words",
    [
        ("space", "--disk", "+1024"),
        ("convert", "GOLD"),
        ("users", "--name", "a", "--surname", "b", "--description", "c", "--email", "d@e.it"),
    ],
    ids=lambda words: words[0],
)
async def test_a_massive_mailbox_has_no_extras(world: Administered, words: tuple[str, ...]) -> None:
    id = await world.registered()
    done = await world.run("mailbox", words[0], id, *words[1:], "-y")
    assert (done.code, "Nothing was done" in done.err) == (1, True)
    assert world.calls()[-1] is AdminOperation.SHOW


async def test_revoke_wants_the_address_typed(world: Administered) -> None:
    id = await world.registered()
    world.admin.registry.move(id, "evasa")
    for typed in ("", "y\n", "altra@pecmassiva.com\n"):
        done = await world.run("mailbox", "revoke", id, typed=typed)
        assert done.code != 0
        assert AdminOperation.REVOKE not in world.calls()
    done = await world.run("mailbox", "revoke", id, "--json", typed=f"{BOX.upper()}\n")
    assert done.json["state"] == "revocata"


async def test_watch_ends_where_a_mailbox_ends(world: Administered) -> None:
    id = await world.registered()
    world.admin.registry.move(id, "documenti_errati")
    done = await world.run("mailbox", "watch", id)
    assert (done.code, "turned away" in done.out) == (1, True)
    world.admin.registry.move(id, "evasa")
    done = await world.run("mailbox", "watch", id)
    assert (done.code, "[[account]]" in done.out) == (0, True)


async def test_no_credit_is_said_with_what_to_do(world: Administered) -> None:
    world.admin.purse.credit_eur = 5.0
    done = await world.run("mailbox", "register", *FLAGS, "-y")
    assert (done.code, done.out) == (1, "")
    assert "Insufficient Credit in Wallet: 5.00 (HTTP 402, error 262). Top up" in done.err


async def test_a_token_without_the_right_says_how_to_get_it(world: Administered) -> None:
    (world.config.parent / "token").write_text("f" * 24)
    done = await world.run("mailbox", "list")
    assert (done.code, "token create --admin" in done.err) == (1, True)
    assert "f" * 24 not in done.err


async def test_a_host_that_is_down_is_one_sentence(world: Administered) -> None:
    text = re.sub(
        r'admin_url = "[^"]*"', 'admin_url = "http://127.0.0.1:9"', world.config.read_text()
    )
    world.config.write_text(text)
    for words in (("list",), ("register", *FLAGS, "-y")):
        done = await world.run("mailbox", *words)
        assert (done.code, done.out) == (1, "")
        assert "could not be reached" in done.err
        assert "Check the network and the address http://127.0.0.1:9" in done.err


ALL = (
    ("check", BOX),
    ("domain", "legalmail.it"),
    ("register", *FLAGS, "-y"),
    ("list",),
    ("show", "X"),
    ("form", "X", "-o", "x.pdf"),
    ("renew", "X", "-y"),
    ("space", "X", "--disk", "1024", "-y"),
    ("convert", "X", "GOLD", "-y"),
    ("users", "X"),
    ("revoke", "X"),
    ("watch", "X"),
)


@pytest.mark.parametrize("words", ALL, ids=lambda words: words[0])
def test_faults_of_the_configuration_are_the_exit_code_two(
    command: Command, tmp_path: Path, words: tuple[str, ...]
) -> None:
    config = tmp_path / "config.toml"
    done = command("mailbox", *words, "--config", config)
    assert (done.code, done.out) == (2, "")
    config.write_text('[api]\ntoken = { file = "none" }\nadmin_uri = "x"\n')
    done = command("mailbox", *words, "--config", config)
    assert (done.code, "did you mean admin_url" in done.err) == (2, True)
    config.write_text('[api]\ntoken = { file = "none" }\n')
    done = command("mailbox", *words, "--config", config)
    assert (done.code, "api.token: cannot be read from" in done.err) == (2, True)
