from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bridge.config import ConfigError, Listen, find_file, load, parse
from bridge.config.lines import find_lines

LEAST = """
[api]
token = { file = "token" }
[[account]]
address = "azienda@pecmassiva.com"
password = { env = "PEC_PASSWORD" }
"""

FULL = """
data_dir = "/srv/pec"

[api]
base_url = "http://127.0.0.1:8000/v1/"
admin_url = "https://admin.example"
oauth_url = "https://oauth.example"
token = { credential = "pec-token" }
timeout_s = 5

[send]
rate_per_s = 2
plan = "flat"
over_plan = "refuse"
cc = "refuse"
bcc = "separate"
signed = "attach"
subject_reference = "suffix"
attachment_encoding = "base64"
max_message_bytes = 1_000_000
dedup_window_h = 0
same_message_id = "send"
waiting_alarm_min = 15

[sync]
interval_s = 1.5
request_budget_per_day = 10
delete = "never"
[receipts]
deliver_to = "Ricevute"
[archive]
retention_days = 3650

[imap]
listen = ["127.0.0.1:0", "imaps://[::1]:1993"]
[smtp]
listen = ["smtps://localhost:1465", "smtp://127.0.0.1:25"]
[[smtp.trusted]]
network = "10.0.0.0/8"
account = "A@pec.example"
[web]
listen = "127.0.0.1:1180"
[tls]
certificate = "tls/cert.pem"
key = "/etc/key.pem"

[[account]]
address = "a@pec.example"
username = "a"
password = { command = "pass show 'pec a'" }
local_password = { keyring = "pec/a" }
[[account]]
address = "b@pec.example"
password = { command = ["cat", "b"] }
"""


def faults(text: str) -> list[str]:
    with pytest.raises(ConfigError) as error:
        parse(text, name="c.toml")
    return str(error.value).splitlines()


def test_defaults() -> None:
    config = parse(LEAST, folder=Path("/etc/pec")).config
    assert config.data_dir == Path("/var/lib/pec-bridge")
    assert config.api.base_url == "https://ws.pecmassiva.com"
    assert config.api.token.file == Path("/etc/pec/token")
    assert (config.send.rate_per_s, config.send.plan, config.send.dedup_window_h) == (
        1.0,
        "standard",
        24.0,
    )
    assert config.send.max_message_bytes == 31_457_280
    assert (config.send.same_message_id, config.send.waiting_alarm_min) == ("refuse", 60.0)
    assert (config.sync.interval_s, config.sync.request_budget_per_day) == (60.0, 1440)
    assert config.imap.listen == (Listen("127.0.0.1", 1143),)
    assert config.smtp.listen == (Listen("127.0.0.1", 1025),)
    assert config.web.listen is None
    assert config.archive.retention_days == 900
    (account,) = config.account
    assert account.api_username == "azienda@pecmassiva.com"
    assert account.local_password is None


def test_every_setting() -> None:
    config = parse(FULL, folder=Path("/etc/pec")).config
    assert config.data_dir == Path("/srv/pec")
    assert config.api.base_url == "http://127.0.0.1:8000/v1"
    assert config.api.timeout_s == 5.0
    assert config.imap.listen == (Listen("127.0.0.1", 0), Listen("::1", 1993, True))
    assert config.smtp.listen == (Listen("localhost", 1465, True), Listen("127.0.0.1", 25))
    (trusted,) = config.smtp.trusted
    assert trusted.network == ip_network("10.0.0.0/8")
    assert config.tls.certificate == Path("/etc/pec/tls/cert.pem")
    assert config.tls.key == Path("/etc/key.pem")
    first, second = config.account
    assert first.api_username == "a"
    assert first.password.command == ("pass", "show", "pec a")
    assert second.password.command == ("cat", "b")
    assert config.send.signed == "attach"


def test_every_fault_at_once_with_line_and_key() -> None:
    text = """\
data_dir = 5
frob = 1
[api]
base_url = "http://ws.example.com"
token = "hush-hush"
timeout = 3
[send]
rate_per_s = 0
plan = "gold"
max_message_bytes = 1.5
[sync]
interval_s = nan
delete = true
[imap]
listen = ["127.0.0.1", "pop3://x:1"]
[smtp]
listen = "127.0.0.1:25"
[[smtp.trusted]]
network = "10.0.0.5/24"
account = "nobody@pec.example"
[[account]]
address = "a@pec.example"
password = { file = "x", env = "Y" }
[[account]]
address = "A@PEC.example"
password = { fille = "x" }
"""
    found = faults(text)
    assert [line.split(": ")[0:2] for line in found] == [
        ["c.toml:1", "data_dir"],
        ["c.toml:2", "frob"],
        ["c.toml:4", "api.base_url"],
        ["c.toml:5", "api.token"],
        ["c.toml:6", "api.timeout"],
        ["c.toml:8", "send.rate_per_s"],
        ["c.toml:9", "send.plan"],
        ["c.toml:10", "send.max_message_bytes"],
        ["c.toml:12", "sync.interval_s"],
        ["c.toml:13", "sync.delete"],
        ["c.toml:15", "imap.listen[1]"],
        ["c.toml:15", "imap.listen[2]"],
        ["c.toml:17", "smtp.listen"],
        ["c.toml:19", "smtp.trusted[1].network"],
        ["c.toml:20", "smtp.trusted[1].account"],
        ["c.toml:23", "account[1].password"],
        ["c.toml:25", "account[2].address"],
        ["c.toml:26", "account[2].password.fille"],
    ]
    assert not [line for line in found if "hush" in line]
    assert found[4].endswith("did you mean timeout_s?")


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ('base_url = "ftp://x"', "https://"),
        ('base_url = "https://user:pw@x"', "plain URL"),
        ('base_url = "https://x?y=1"', "plain URL"),
        ('base_url = "https://x:99999"', "not a URL"),
        ('base_url = "http://127.0.0.1.example.com"', "https://"),
        ("base_url = 1979-05-27", "date or time"),
        ("timeout_s = 0", "more than 0"),
        ("timeout_s = inf", "must be a number"),
        ('timeout_s = "30"', "must be a number"),
        ("timeout_s = true", "must be a number"),
    ],
)
def test_faults_of_the_api(change: str, fault: str) -> None:
    (found,) = faults(LEAST.replace("[api]", f"[api]\n{change}"))
    assert fault in found


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("{}", "exactly one of"),
        ('{ file = "a", env = "b" }', "exactly one of"),
        ('"plain-secret"', "where the secret is"),
        ('{ env = "" }', "environment variable"),
        ('{ env = "A=B" }', "environment variable"),
        ('{ credential = "../x" }', "systemd credential"),
        ('{ keyring = "x" }', "service/user"),
        ('{ command = "" }', "command line"),
        ('{ command = "a \'b" }', "command line"),
        ('{ command = ["a", 1] }', "command line"),
        ("{ file = 7 }", "path"),
    ],
)
def test_faults_of_a_secret(source: str, fault: str) -> None:
    (found,) = faults(LEAST.replace('{ file = "token" }', source))
    assert fault in found
    assert "plain-secret" not in found


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "account: is missing"),
        ("account = []", "account: must name at least one mailbox"),
        ("x = ", "is not TOML"),
        ("a = 1\na = 2", "is not TOML"),
        ("account = 3", "account: must be a list"),
        ("account = [3]", "account[1]: must be a table"),
        ("api = 3", "api: must be a table"),
        ('[tls]\nkey = "k"', "tls: needs certificate and key"),
        ('[receipts]\ndeliver_to = " "', "receipts.deliver_to: is not the name of a mailbox"),
        *(
            (f'[archive]\nclear_at_api = "{text}"', 'archive.clear_at_api: must be "never", ')
            for text in (
                "always",
                "receipts-after 0d",
                "receipts-after 40000d",
                "over 7%",
                "over 70",
            )
        ),
        ('[web]\nlisten = "imap://127.0.0.1:1"', "web.listen: cannot begin with imap"),
        (LEAST.replace("azienda@", "azienda "), "account[1].address: is not a mail address"),
        (LEAST.replace("azienda@", "aziénda\\n@"), "account[1].address: is not a mail address"),
    ],
)
def test_other_faults(text: str, fault: str) -> None:
    assert any(fault in line for line in faults(text))


def test_lines() -> None:
    text = (
        '''# [api] not here
title = """
[fake]
key = 1
"""
a.b."c d" = [ # ]
  1, { x = "}" },
] # y = 3
inline = { one = 1, two = { three = '''
        + """'#', "four" = [1, 2] }, five = 5 }
[table]
  key = 'it''s' # no
[[list]]
name = 1
[list.sub]
deep = 2
[[list]]
[list.sub]
deep = 3
"""
    )
    text = text.replace("'it''s'", "'its'")
    lines = find_lines(text)
    assert lines == {
        ("title",): 2,
        ("a",): 6,
        ("a", "b"): 6,
        ("a", "b", "c d"): 6,
        ("inline",): 9,
        ("inline", "one"): 9,
        ("inline", "two"): 9,
        ("inline", "two", "three"): 9,
        ("inline", "two", "four"): 9,
        ("inline", "five"): 9,
        ("table",): 10,
        ("table", "key"): 11,
        ("list",): 12,
        ("list", 0): 12,
        ("list", 0, "name"): 13,
        ("list", 0, "sub"): 14,
        ("list", 0, "sub", "deep"): 15,
        ("list", 1): 16,
        ("list", 1, "sub"): 17,
        ("list", 1, "sub", "deep"): 18,
    }


@given(
    st.lists(st.sampled_from(["[", "]", "{", "}", "=", ",", '"', "'", "\n", "#", "a", ".", "1"]))
)
@example(list('a="""'))
def test_any_text_is_read_or_refused(pieces: list[str]) -> None:
    text = "".join(pieces)
    find_lines(text)
    with pytest.raises(ConfigError):
        parse(text)


def test_a_fault_found_in_use_is_placed_too() -> None:
    file = parse(LEAST, name="c.toml")
    assert file.where("account", 0, "password") == "c.toml:6: account[1].password"
    assert file.where("api", "token", "file") == "c.toml:3: api.token.file"
    assert file.where("web", "listen") == "c.toml: web.listen"


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_bytes(b"\xef\xbb\xbf" + LEAST.replace("\n", "\r\n").encode())
    file = load(path)
    assert file.config.api.token.file == tmp_path / "token"
    assert file.where("api", "token").startswith(f"{path}:3:")
    path.write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load(path)
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        load(tmp_path / "other.toml")


def test_where_the_file_is_looked_for(tmp_path: Path) -> None:
    given_path, named = tmp_path / "given", tmp_path / "named"
    usual = tmp_path / "home/.config/pec-bridge/config.toml"
    xdg = tmp_path / "xdg/pec-bridge/config.toml"
    environment = {"HOME": str(tmp_path / "home")}
    for place in (usual, xdg):
        place.parent.mkdir(parents=True)
        place.touch()
    assert find_file(None, environment) == usual
    environment["XDG_CONFIG_HOME"] = str(tmp_path / "xdg")
    assert find_file(None, environment) == xdg
    environment["PEC_BRIDGE_CONFIG"] = str(named)
    assert find_file(None, environment) == named
    assert find_file(given_path, environment) == given_path


def test_no_file_anywhere(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--config FILE"):
        find_file(None, {"HOME": str(tmp_path)})


TRUSTED = """
[[account]]
address = "b@pec.example"
password = { env = "B" }
[[smtp.trusted]]
network = "10.0.0.0/8"
account = "b@pec.example"
[[smtp.trusted]]
network = "10.0.0.0/8"
account = "%s"
"""


def test_a_network_may_send_for_several_accounts() -> None:
    config = parse(LEAST + TRUSTED % "azienda@pecmassiva.com").config
    assert len(config.smtp.trusted) == 2


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        ('network = "10.0.0.1"', ["smtp.trusted[1].account: is missing"]),
        (
            'network = 5\naccount = "azienda@pecmassiva.com"',
            ['smtp.trusted[1].network: must be a network in quotes, such as "127.0.0.1/32"'],
        ),
    ],
    ids=["no account", "no text"],
)
def test_one_fault_of_a_trusted_network_is_told_once(entry: str, found: list[str]) -> None:
    told = faults(f"{LEAST}\n[[smtp.trusted]]\n{entry}\n")
    assert [line.partition(": ")[2] for line in told] == found


def test_the_same_trust_twice_is_a_fault() -> None:
    (found,) = faults(LEAST + TRUSTED % "B@pec.example")
    assert "smtp.trusted[2]: says the same as one above" in found


def test_one_may_begin_without_an_account_where_that_is_allowed() -> None:
    text = '[api]\ntoken = { env = "T" }\n'
    assert parse(text, accounts=False).config.account == ()
    assert parse(f"account = []\n{text}", accounts=False).config.account == ()
    with pytest.raises(ConfigError, match="account: is missing"):
        parse(text)
    with pytest.raises(ConfigError, match="is not the address of an"):
        parse(
            f'{text}[[smtp.trusted]]\nnetwork = "127.0.0.1/32"\naccount = "a@b.it"\n',
            accounts=False,
        )


@pytest.mark.parametrize(
    ("proxy", "told"),
    [
        ("http://proxy.example:3128", None),
        ("https://[::1]:3128/", None),
        ("", None),
        ("proxy.example:3128", "must be written"),
        ("http://proxy.example", "must be written"),
        ("socks5://proxy.example:1080", "must be written"),
        ("http://proxy.example:99999", "must be written"),
        ("http://us:hush@proxy.example:3128", "must hold no password"),
    ],
)
def test_a_proxy_is_a_host_and_a_port_and_holds_no_password(proxy: str, told: str | None) -> None:
    text = f"""
[api]
token = {{ env = "T" }}
proxy = "{proxy}"
[[account]]
address = "a@pec.example"
password = {{ env = "P" }}
"""
    if told is None:
        assert parse(text).config.api.proxy == proxy.rstrip("/")
        return
    with pytest.raises(ConfigError, match=f"api.proxy: {told}") as error:
        parse(text)
    assert "hush" not in str(error.value)
