"""Settings of those who are told of events and alarms: what is refused, and with which words."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.config import ConfigError, parse
from bridge.credentials import resolve_all, signing_key
from bridge.model import EventKind
from bridge.net.address import is_private

HEAD = """\
[api]
token = { env = "T" }
[[account]]
address = "a@pec.example"
password = { env = "P" }
"""
SECRET = 'secret = { env = "W" }\n'
WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def faults(text: str) -> list[str]:
    try:
        parse(HEAD + text, name="c.toml")
    except ConfigError as error:
        return [str(fault).removeprefix("c.toml:") for fault in error.faults]
    return []


def hook(line: str, secret: str = SECRET) -> str:
    return f"[[account.webhook]]\n{line}\n{secret}"


@pytest.mark.parametrize(
    "url",
    [
        "https://erp.example/pec?x=y",
        "https://[2001:db8::1]:8443/",
        "http://127.0.0.1:8080/",
        "http://[::1]/",
        "http://localhost/",
        "http://10.1.2.3/",
        "http://192.168.0.9:8080/x",
    ],
)
def test_urls(url: str) -> None:
    assert faults(hook(f'url = "{url}"')) == []


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://erp.example/", "without TLS to an address that is not known to be private"),
        ("http://8.8.8.8/", "without TLS to an address that is not known to be private"),
        ("http://172.32.0.1/", "without TLS to an address that is not known to be private"),
        ("http://169.254.169.254/", "without TLS to an address that is not known to be private"),
        ("http://2130706433/", "without TLS to an address that is not known to be private"),
        ("ftp://erp.example/", "must be a URL such as"),
        ("https:///x", "must be a URL such as"),
        ("erp.example", "must be a URL such as"),
        ("https://a:b@erp.example/", "must have no name, password"),
        ("https://erp.example/#x", "must have no name, password"),
        ("https://erp.example/a b", "must have no name, password"),
        ("https://erp.example:99999/", "is not a URL"),
        ("https://erp.example\\\\@x/", "must be a URL such as"),
    ],
)
def test_urls_that_are_refused(url: str, why: str) -> None:
    (fault,) = faults(hook(f'url = "{url}"'))
    assert why in fault
    assert "a:b" not in fault


def test_clear_text_has_to_be_said_twice() -> None:
    assert faults(hook('url = "http://erp.example/"\ni_know = true')) == []


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (hook('name = "x"'), "needs either url or command"),
        (hook('url = "https://x.example"\ncommand = ["a"]'), "needs either url or command"),
        (hook('url = "https://x.example"', ""), "needs secret beside url"),
        (hook('command = ["a"]'), "needs secret beside url, and none beside command"),
        (hook('command = "rm -rf /"', ""), "must be a list of words"),
        (hook("command = []", ""), "must be a list of words"),
        (hook('command = ["./told"]', ""), "must begin with an absolute path, or a name"),
        (hook('command = ["a"]\nevents = []', ""), "must name one event at least"),
        (hook('command = ["a"]\nevents = ["sent"]', ""), "must be one of 'queued', 'submitted'"),
        (hook('command = ["a"]\nname = "a/b"', ""), "may have letters, digits"),
        (hook('command = ["a"]\ntimeout_s = 0', ""), "must be more than 0"),
        (hook('command = ["a"]\nfrob = 1', ""), "is not a setting"),
        (hook('url = "https://x.example"', 'secret = "geheim"'), "must say where the secret is"),
        (hook('command = ["/a/told"]', "") + hook('command = ["/b/told"]', ""), "is called told"),
        ('[alarms]\nto = "x@y.example"\n', "needs to and [alarms.smtp] together"),
        ('[alarms.smtp]\nhost = "mail"\n', "needs to and [alarms.smtp] together"),
        (
            '[alarms]\nto = "A@pec.example"\n[alarms.smtp]\nhost = "mail"\n',
            "is a certified mailbox of this bridge",
        ),
        (
            '[alarms]\nto = "x@y.example"\n[alarms.smtp]\nhost = "localhost"\nport = 1025\n',
            "is this bridge itself, which sends nothing but PECs",
        ),
        (
            '[smtp]\nlisten = ["0.0.0.0:587"]\n[alarms]\nto = "x@y.example"\n'
            '[alarms.smtp]\nhost = "127.0.0.1"\n',
            "is this bridge itself, which sends nothing but PECs",
        ),
        (
            '[alarms]\nto = "x@y.example"\n[alarms.smtp]\nhost = "m"\nuser = "u"\n',
            "needs user and password together",
        ),
        (
            '[alarms]\nto = "x@y.example"\n[alarms.smtp]\nhost = "m"\nuser = "u"\n'
            'password = { env = "X" }\ntls = "none"\n',
            "would say the password in clear",
        ),
    ],
)
def test_what_cannot_be(text: str, why: str) -> None:
    found = faults(text)
    assert len(found) == 1, found
    assert why in found[0]
    assert "geheim" not in found[0]


def test_a_smarthost_elsewhere_is_none_of_the_bridges_ports() -> None:
    assert (
        faults(
            '[smtp]\nlisten = ["0.0.0.0:587"]\n[alarms]\nto = "x@y.example"\n'
            '[alarms.smtp]\nhost = "smtp.example"\n'
        )
        == []
    )


def test_one_name_may_be_used_for_two_accounts() -> None:
    other = '[[account]]\naddress = "b@pec.example"\npassword = { env = "P" }\n'
    one = hook('url = "https://erp.example/"')
    assert faults(one + other + one + '[[webhook]]\nurl = "https://erp.example/"\n' + SECRET) == []


TOLD = f"""\
[[account.webhook]]
url = "https://erp.example:8443/geheim?token=geheim"
{SECRET}
old_secret = {{ env = "OLD" }}
events = ["delivered"]
ca_file = "erp.pem"
[[webhook]]
command = ["/usr/bin/told", "a b"]
[alarms]
to = "x@y.example"
[alarms.smtp]
host = "mail.example"
user = "u"
password = {{ env = "MAIL" }}
[[alarms.webhook]]
url = "https://monitoring.example/"
{SECRET}
"""


def test_what_is_set(tmp_path: Path) -> None:
    file = parse(HEAD + TOLD, folder=tmp_path)
    (nobody, _, everybodys), (number, index, own) = file.config.webhooks()
    assert (nobody, everybodys.known_as, everybodys.place) == (None, "told", "/usr/bin/told")
    assert everybodys.events == tuple(EventKind)
    assert (number, index, own.known_as) == (0, 0, "erp.example:8443")
    assert own.place == "https://erp.example:8443", "what follows may be a secret"
    assert own.events == (EventKind.DELIVERED,)
    assert own.ca_file == tmp_path / "erp.pem"
    environment = {"T": "t", "P": "p", "W": WHSEC, "OLD": "whsec_" + "QUJD" * 8, "MAIL": "m"}
    secrets = resolve_all(file, environment)
    assert [len(one.signing) for one in secrets.webhooks] == [0, 2]
    assert len(signing_key(secrets.webhooks[1].signing[0])) == 24
    assert [len(one.signing) for one in secrets.alarms] == [1]
    assert secrets.alarms_password is not None


def test_every_secret_that_cannot_be_had_is_told_with_its_place(tmp_path: Path) -> None:
    file = parse(HEAD + TOLD, name="c.toml", folder=tmp_path)
    with pytest.raises(ConfigError) as error:
        resolve_all(file, {"T": "t", "P": "p", "W": "geheim"})
    said = [str(fault).partition(": ")[2] for fault in error.value.faults]
    assert [one.partition(":")[0] for one in said] == [
        "account[1].webhook[1].secret",
        "account[1].webhook[1].old_secret",
        "alarms.webhook[1].secret",
        "alarms.smtp.password",
    ]
    assert "openssl" in said[0]
    assert "geheim" not in str(error.value)


def test_secrets_are_looked_for_also_where_other_settings_are_wrong(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as error:
        parse(HEAD + TOLD + "[log]\nlevel = 5\n", folder=tmp_path)
    rest = error.value.rest
    assert rest is not None
    keys = [key for key, _ in rest.pointers.sources]
    for key in (
        ("account", 0, "webhook", 0, "secret"),
        ("account", 0, "webhook", 0, "old_secret"),
        ("alarms", "smtp", "password"),
        ("alarms", "webhook", 0, "secret"),
    ):
        assert key in keys


@pytest.mark.parametrize(
    ("host", "private"),
    [
        ("127.0.0.1", True), ("::1", True), ("localhost", True), ("10.0.0.1", True),
        ("172.31.255.255", True), ("192.168.1.1", True), ("fd00::1", True), ("fe80::1%eth0", True),
        ("::ffff:10.0.0.1", True), ("172.32.0.1", False), ("8.8.8.8", False),
        ("2001:db8::1", False), ("erp.local", False), ("::ffff:8.8.8.8", False), ("", False),
    ],
)  # fmt: skip
def test_what_can_only_be_near(host: str, private: bool) -> None:
    assert is_private(host) is private
