from __future__ import annotations

import asyncio
import base64
import smtplib
import ssl

import pytest

from bridge.mime.strict.rules import SubmissionRules
from bridge.store.dsn import DsnWish, NotifyOn
from tests.smtpserver.conftest import ADDRESS, PASSWORD, TO, Client, Serve, Served, message
from tests.streams import hang_up


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def plain(name: str, password: str, identity: str = "") -> str:
    """Return the command that logs in."""
    response = b64("\0".join((identity, name, password)))
    return f"AUTH PLAIN {response}"


LOG_IN = plain(ADDRESS, PASSWORD)
PLAIN = LOG_IN.split()[-1]
WRONG = plain(ADDRESS, "no")

# -- greetings -------------------------------------------------------------------------------------


async def test_ehlo_offers_what_is_there(served: Served) -> None:
    client = await served.connect()
    reply = await client.do("EHLO client")
    assert reply.code == 250
    assert set(reply.lines[1:]) == {
        f"SIZE {30 * 1024**2}",
        *("8BITMIME", "SMTPUTF8", "PIPELINING", "ENHANCEDSTATUSCODES", "DSN"),
        *("AUTH PLAIN LOGIN", "HELP"),
    }


async def test_starttls_is_offered_until_it_is_on(
    serve: Serve, tls_context: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    served = await serve(tls=tls_context)
    client = await served.connect()
    assert "STARTTLS" in (await client.do("EHLO client")).lines
    assert (await client.do("STARTTLS")).code == 220
    await client.writer.start_tls(client_tls)
    assert (await client.do("MAIL FROM:<x@y>")).code == 503, "what was said before is forgotten"
    assert "STARTTLS" not in (await client.do("EHLO client")).lines
    assert (await client.do("STARTTLS")).code == 454
    await client.log_in()
    assert (await client.submit(message())).code == 250


async def test_implicit_tls(
    serve: Serve, tls_context: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    served = await serve(tls=tls_context, implicit=True)
    client = await served.connect(client_tls)
    await client.log_in()
    assert (await client.submit(message())).code == 250


async def test_commands_smuggled_in_before_tls_end_the_connection(
    serve: Serve, tls_context: ssl.SSLContext
) -> None:
    """RFC 3207 §6 and CVE-2011-0411."""
    served = await serve(tls=tls_context)
    client = await served.connect()
    await client.do("EHLO client")
    await client.send(b"STARTTLS\r\nNOOP injected\r\n")
    assert (await client.reply()).code == 421
    assert await client.at_end()


async def test_a_failed_handshake_ends_only_its_own_connection(
    serve: Serve, tls_context: ssl.SSLContext
) -> None:
    served = await serve(tls=tls_context)
    client = await served.connect()
    await client.do("EHLO client")
    assert (await client.do("STARTTLS")).code == 220
    await client.send(b"this is not TLS\r\n")
    assert await client.at_end()
    assert (await (await served.connect()).do("NOOP")).code == 250


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("EHLO", 501),
        ("HELO", 501),
        ("HELO client", 250),
        ("ehlo client", 250),
        ("NOOP", 250),
        ("RSET", 250),
        ("HELP", 214),
        ("VRFY ugo", 252),
        ("EXPN all", 502),
        ("STARTTLS", 454),
        ("STARTTLS now", 501),
        ("NONSENSE", 500),
        ("", 500),
        ("QUIT", 221),
        ("AUTH PLAIN", 503),
        ("MAIL FROM:<azienda@pec.example>", 503),
        ("RCPT TO:<uno@altra.example>", 503),
        ("DATA", 503),
        ("BDAT 3", 500),
        ("NOOP " + "x" * 20_000, 500),
    ],
)
async def test_commands_before_ehlo(served: Served, command: str, code: int) -> None:
    client = await served.connect()
    reply = await client.do(command)
    assert reply.code == code
    if command != "QUIT":
        assert (await client.do("NOOP")).code == 250, "the session goes on"


async def test_every_reply_has_an_enhanced_status_code(served: Served) -> None:
    client = await served.connect()
    commands = ["HELP", "NOOP", "RSET", "VRFY x", "EXPN x", "X", "DATA", "MAIL FROM:x"]
    for command in [*commands, "EHLO client", "AUTH X", "AUTH PLAIN =", "MAIL FROM:<", "QUIT"]:
        reply = await client.do(command)
        if not command.startswith("EHLO"):
            assert reply.status[:2] == f"{str(reply.code)[0]}.", (command, reply)


async def test_a_login_before_tls_is_forgotten(
    serve: Serve, tls_context: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    """RFC 3207 §4.2: whoever sat between client and server may have logged in."""
    served = await serve(tls=tls_context)
    client = await served.user()
    assert (await client.do(f"MAIL FROM:<{ADDRESS}>")).code == 250
    assert (await client.do("STARTTLS")).code == 220
    await client.writer.start_tls(client_tls)
    assert (await client.do(f"RCPT TO:<{TO}>")).code == 503
    assert (await client.do(f"MAIL FROM:<{ADDRESS}>")).code == 503
    await client.do("EHLO client")
    assert (await client.do(f"MAIL FROM:<{ADDRESS}>")).code == 530
    await client.log_in()
    assert (await client.submit(message())).code == 250


# -- bounces ---------------------------------------------------------------------------------------

BOUNCE = b"From: MAILER-DAEMON@relay.example\r\nTo: cron\r\nSubject: Undelivered\r\n\r\nx\r\n"


@pytest.mark.parametrize("recipient", [ADDRESS, ADDRESS.upper(), f"{ADDRESS}."])
@pytest.mark.parametrize("trusted", [False, True])
async def test_a_bounce_to_the_own_mailbox_is_filed_and_never_sent(
    serve: Serve, recipient: str, trusted: bool
) -> None:
    served = await serve(trusted=trusted)
    client = await (served.connect() if trusted else served.user())
    await client.do("EHLO client")
    reply = await client.submit(BOUNCE, recipient, sender="")
    assert (reply.code, reply.text) == (250, "Ok: filed in INBOX")
    assert await served.queued() == ()
    assert await served.inbox() == [BOUNCE]
    assert await served.sent_copies() == 0


async def test_a_bounce_to_anybody_else_is_refused(served: Served) -> None:
    client = await served.user()
    assert (await client.do("MAIL FROM:<>")).code == 250
    reply = await client.do(f"RCPT TO:<{TO}>")
    assert (reply.code, reply.status) == (550, "5.7.1")
    assert (await client.do("DATA")).code == 503
    assert (await client.do(f"RCPT TO:<{ADDRESS}>")).code == 250
    assert (await client.do(f"RCPT TO:<{TO}>")).code == 550


async def test_a_bounce_is_for_one_of_the_mailboxes_that_may_send(serve: Serve) -> None:
    other = "ufficio@pec.example"
    served = await serve(trusted=True, others=(other,))
    client = await served.connect()
    await client.do("EHLO client")
    await client.do("MAIL FROM:<>")
    assert (await client.do(f"RCPT TO:<{other}>")).code == 250
    assert (await client.do(f"RCPT TO:<{ADDRESS}>")).code == 550
    assert (await client.do(f"RCPT TO:<{other}>")).code == 250


async def test_a_bounce_needs_a_login_like_any_message(served: Served) -> None:
    client = await served.connect()
    await client.do("EHLO client")
    assert (await client.do("MAIL FROM:<>")).code == 530


# -- bytes that are no text ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"NOOP \xff", 250),
        (b"EHLO Perch\xe9-PC", 250),
        (b"HELO uffici\xf2", 250),
        (b"EHL\xd6 client", 500),
        (b"MAIL FROM:<perch\xe9@pec.example>", 553),
        (b"AUTH PLAIN perch\xe9", 501),
        (b"\xff", 500),
    ],
)
async def test_only_verbs_and_addresses_must_be_text(
    served: Served, line: bytes, code: int
) -> None:
    client = await served.connect()
    await client.do("EHLO client")
    await client.send(line + b"\r\n")
    assert (await client.reply()).code == code
    await client.log_in()
    assert (await client.submit(message())).code == 250


@pytest.mark.parametrize("argument", [b"TO:<perch\xe9@pec.example>", b"TO:<a@b> X=\xe9"])
async def test_a_recipient_that_is_no_text_is_refused(served: Served, argument: bytes) -> None:
    client = await served.user()
    await client.do(f"MAIL FROM:<{ADDRESS}>")
    await client.send(b"RCPT " + argument + b"\r\n")
    assert (await client.reply()).code == 553


# -- logging in ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "codes"),
    [
        pytest.param([LOG_IN], [235], id="PLAIN, initial response"),
        pytest.param(["AUTH PLAIN", PLAIN], [334, 235], id="PLAIN"),
        pytest.param(["auth plain", PLAIN], [334, 235], id="lower case"),
        pytest.param([plain(ADDRESS, PASSWORD, ADDRESS)], [235], id="PLAIN for oneself"),
        pytest.param(["AUTH LOGIN", b64(ADDRESS), b64(PASSWORD)], [334, 334, 235], id="LOGIN"),
        pytest.param(
            [f"AUTH LOGIN {b64(ADDRESS)}", b64(PASSWORD)], [334, 235], id="LOGIN, as Outlook does"
        ),
        pytest.param(
            [f"AUTH LOGIN {b64(ADDRESS.upper())}", b64(PASSWORD)], [334, 235], id="any case"
        ),
        pytest.param([WRONG], [535], id="wrong password"),
        pytest.param([plain("x@y", PASSWORD)], [535], id="unknown user"),
        pytest.param([plain(ADDRESS, PASSWORD, "x@y")], [535], id="for somebody else"),
        pytest.param(["AUTH PLAIN ="], [501], id="an empty response"),
        pytest.param(["AUTH PLAIN ###"], [501], id="no base64"),
        pytest.param([f"AUTH PLAIN {b64('x')}"], [501], id="no PLAIN"),
        pytest.param(["AUTH LOGIN", "*"], [334, 501], id="cancelled"),
        pytest.param(["AUTH LOGIN", "x" * 40_000], [334, 500], id="too long"),
        pytest.param(["AUTH CRAM-MD5"], [504], id="another mechanism"),
        pytest.param(["AUTH"], [501], id="no mechanism"),
        pytest.param(["AUTH PLAIN a b"], [501], id="too many words"),
    ],
)
async def test_logging_in(served: Served, lines: list[str], codes: list[int]) -> None:
    client = await served.connect()
    await client.do("EHLO client")
    assert [(await client.do(line)).code for line in lines] == codes
    allowed = (await client.do(f"MAIL FROM:<{ADDRESS}>")).code == 250
    assert allowed is (codes[-1] == 235)


async def test_login_challenges_are_the_usual_ones(served: Served) -> None:
    client = await served.connect()
    await client.do("EHLO client")
    assert base64.b64decode((await client.do("AUTH LOGIN")).lines[0]) == b"Username:"
    assert base64.b64decode((await client.do(b64("x"))).lines[0]) == b"Password:"


async def test_nobody_logs_in_amid_a_message(serve: Serve) -> None:
    """It was begun as what comes from a trusted network, with other rights."""
    served = await serve(trusted=True)
    client = await served.connect()
    for command in ("EHLO client", f"MAIL FROM:<{ADDRESS}>"):
        assert (await client.do(command)).code == 250
    assert (await client.do(LOG_IN)).code == 503
    await client.do("RSET")
    assert (await client.do(LOG_IN)).code == 235


async def test_nobody_logs_in_twice(served: Served) -> None:
    client = await served.user()
    assert (await client.do(LOG_IN)).code == 503


async def test_guessing_ends_the_connection(serve: Serve) -> None:
    served = await serve(max_login_failures=2)
    client = await served.connect()
    await client.do("EHLO client")
    assert (await client.do(WRONG)).code == 535
    assert (await client.do(WRONG)).code == 535
    assert (await client.reply()).code == 421
    assert await client.at_end()


async def test_helo_knows_no_login(served: Served) -> None:
    client = await served.connect()
    await client.do("HELO client")
    assert (await client.do(LOG_IN)).code == 503


async def test_a_password_never_crosses_the_network_in_clear(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = await serve()
    monkeypatch.setattr("bridge.smtpserver.connection.SmtpConnection.peer", "192.0.2.7")
    client = await served.connect()
    assert "AUTH PLAIN LOGIN" not in (await client.do("EHLO client")).lines
    reply = await client.do(LOG_IN)
    assert (reply.code, reply.status) == (538, "5.7.11")


# -- MAIL and RCPT ---------------------------------------------------------------------------------


async def test_without_a_login_nothing_is_sent(served: Served) -> None:
    client = await served.connect()
    await client.do("EHLO client")
    reply = await client.do(f"MAIL FROM:<{ADDRESS}>")
    assert (reply.code, reply.status) == (530, "5.7.0")


@pytest.mark.parametrize(
    ("argument", "code", "status"),
    [
        (f"FROM:<{ADDRESS}>", 250, "2.1.0"),
        (f"FROM: <{ADDRESS.upper()}>", 250, "2.1.0"),
        (f"from:{ADDRESS}", 250, "2.1.0"),
        (f"FROM:<@relay.example:{ADDRESS}>", 250, "2.1.0"),
        (f"FROM:<{ADDRESS}> SIZE=100 BODY=8BITMIME SMTPUTF8", 250, "2.1.0"),
        (f"FROM:<{ADDRESS}> AUTH=<> RET=HDRS ENVID=x", 250, "2.1.0"),
        (f"FROM:<{ADDRESS}> SIZE={31 * 1024**2}", 552, "5.3.4"),
        (f"FROM:<{ADDRESS}> SIZE=x", 501, "5.5.4"),
        (f"FROM:<{ADDRESS}> BODY=BINARYMIME", 501, "5.5.4"),
        (f"FROM:<{ADDRESS}> ENVID=a+0D+0Ab", 501, "5.5.4"),
        (f"FROM:<{ADDRESS}> ENVID={'x' * 101}", 501, "5.5.4"),
        (f"FROM:<{ADDRESS}> RET=ALL", 501, "5.5.4"),
        (f"FROM:<{ADDRESS}> RET=FULL ret=hdrs", 501, "5.5.4"),
        (f"FROM:<{ADDRESS}> REQUIRETLS", 555, "5.5.4"),
        ("FROM:<altro@pec.example>", 550, "5.7.1"),
        ("FROM:<azienda>", 553, "5.1.3"),
        ("FROM:<a b@c>", 501, "5.5.4"),
        ("TO:<x@y>", 501, "5.5.4"),
        ("", 501, "5.5.4"),
    ],
)
async def test_mail(served: Served, argument: str, code: int, status: str) -> None:
    client = await served.user()
    reply = await client.do(f"MAIL {argument}")
    assert (reply.code, reply.status) == (code, status), reply


@pytest.mark.parametrize(
    ("given", "reference"),
    [
        ("ENVID=ORD+2B17+2Fb", "ORD+17/b"),
        ("ENVID=+20a+20+20b", "a b"),
        ("RET=HDRS", ""),
    ],
)
async def test_the_envelopes_id_is_the_reference(
    served: Served, given: str, reference: str
) -> None:
    client = await served.user()
    for command in (f"MAIL FROM:<{ADDRESS}> {given}", f"RCPT TO:<{TO}>"):
        assert (await client.do(command)).code == 250
    await client.do("DATA")
    await client.send(message() + b".\r\n")
    assert (await client.reply()).code == 250
    assert [row.reference for row in await served.queued()] == [reference]


async def test_what_notifications_are_asked_for_is_kept(served: Served) -> None:
    client = await served.user()
    other = "due@altra.example"
    for command in (
        f"MAIL FROM:<{ADDRESS}> RET=FULL ENVID=ORD+2B17",
        f"RCPT TO:<{TO}> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;Uno+40altra.example",
        f"RCPT TO:<{TO}> NOTIFY=NEVER",
        f"RCPT TO:<{other}>",
    ):
        assert (await client.do(command)).code == 250
    await client.do("DATA")
    await client.send(message(To=f"{TO}, {other}") + b".\r\n")
    assert (await client.reply()).code == 250
    (row,) = await served.queued()
    assert row.envid == "ORD+17"
    kept = await served.store.read(lambda tx: tx.dsn(row.id))
    assert kept is not None
    assert (kept.full, kept.told, kept.count) == (True, {}, 0)
    wish = DsnWish(frozenset({NotifyOn.SUCCESS, NotifyOn.DELAY}), "rfc822;Uno@altra.example")
    assert kept.wishes == {TO: wish}


async def test_where_nothing_is_asked_nothing_is_kept(served: Served) -> None:
    client = await served.user()
    assert (await client.submit(message())).code == 250
    (row,) = await served.queued()
    assert await served.store.read(lambda tx: tx.dsn(row.id)) is None


@pytest.mark.parametrize("command", ["EHLO client", "HELO client", "RSET"])
async def test_what_was_begun_is_forgotten_when_it_begins_anew(
    served: Served, command: str
) -> None:
    """RFC 5321 §4.1.4: its recipients are not those of the next message."""
    client = await served.user()
    for said in (f"MAIL FROM:<{ADDRESS}>", "RCPT TO:<altro@altra.example>", command):
        assert (await client.do(said)).code == 250
    assert (await client.do(f"RCPT TO:<{TO}>")).code == 503
    assert (await client.do("DATA")).code == 503
    assert (await client.submit(message())).code == 250
    assert [row.recipients for row in await served.queued()] == [(TO,)]


async def test_one_message_at_a_time(served: Served) -> None:
    client = await served.user()
    await client.do(f"MAIL FROM:<{ADDRESS}>")
    assert (await client.do(f"MAIL FROM:<{ADDRESS}>")).code == 503
    assert (await client.do(LOG_IN)).code == 503
    await client.do("RSET")
    assert (await client.do(f"MAIL FROM:<{ADDRESS}>")).code == 250


@pytest.mark.parametrize(
    ("argument", "code", "status"),
    [
        ("TO:<uno@altra.example>", 250, "2.1.5"),
        ("TO:<uno@altra.example> NOTIFY=SUCCESS ORCPT=rfc822;x", 250, "2.1.5"),
        ("TO:<uno@altra.example> NOTIFY=NEVER,SUCCESS", 501, "5.5.4"),
        ("TO:<uno@altra.example> ORCPT=rfc822", 501, "5.5.4"),
        ("TO:<è@à.example>", 250, "2.1.5"),
        ('TO:<"a b"@altra.example>', 250, "2.1.5"),
        ("TO:<root>", 553, "5.1.3"),
        ("TO:<>", 553, "5.1.3"),
        (f"TO:<{'x' * 65}@altra.example>", 553, "5.1.3"),
        ("TO:<a@b> WHAT=ever", 555, "5.5.4"),
        ("FROM:<a@b>", 501, "5.5.4"),
    ],
)
async def test_rcpt(served: Served, argument: str, code: int, status: str) -> None:
    client = await served.user()
    await client.do(f"MAIL FROM:<{ADDRESS}>")
    reply = await client.do(f"RCPT {argument}")
    assert (reply.code, reply.status) == (code, status)


async def test_recipients_beyond_the_plan_are_put_off(serve: Serve) -> None:
    served = await serve(rules=SubmissionRules(max_recipients=2))
    client = await served.user()
    await client.do(f"MAIL FROM:<{ADDRESS}>")
    for address, code in [("a@b", 250), ("A@B", 250), ("c@d", 250), ("e@f", 452), ("a@b", 250)]:
        assert (await client.do(f"RCPT TO:<{address}>")).code == code


# -- DATA ------------------------------------------------------------------------------------------


async def test_a_size_that_is_too_much_for_all_recipients_is_refused_for_all(serve: Serve) -> None:
    served = await serve(rules=SubmissionRules(max_message_bytes=1000))
    client = await served.user()
    assert (await client.do(f"MAIL FROM:<{ADDRESS}> SIZE=600")).code == 250
    for address in ("a@b", "c@d"):
        assert (await client.do(f"RCPT TO:<{address}>")).code == 250
    reply = await client.do("DATA")
    assert (reply.code, reply.status) == (552, "5.3.4")
    assert (await client.do("DATA")).code == 503


async def test_too_much_data_is_read_to_its_end_and_refused(serve: Serve) -> None:
    served = await serve(rules=SubmissionRules(max_message_bytes=1000))
    client = await served.user()
    reply = await client.submit(message("x" * 5000 + "\r\n"))
    assert (reply.code, reply.status) == (552, "5.3.4")
    assert (await client.submit(message())).code == 250
    assert len(await served.queued()) == 1


@pytest.mark.parametrize(
    ("raw", "code", "status", "words"),
    [
        pytest.param(message(From="x@y"), 550, "5.7.1", "From field must be", id="foreign From"),
        pytest.param(message(To=None), 550, "5.7.1", "no recipient", id="no To"),
        pytest.param(message(Bcc="x@y"), 550, "5.7.1", "x@y", id="Bcc"),
        pytest.param(message(To="z@y"), 550, "5.7.1", TO, id="hidden recipient"),
        pytest.param(message(Content_Type="multipart/mixed"), 554, "5.6.0", "boundary", id="MIME"),
        pytest.param(
            message(Content_Type="application/pkcs7-mime; smime-type=enveloped-data"),
            *(554, "5.6.1", "S/MIME"),
            id="encrypted",
        ),
        pytest.param(b"", 550, "5.7.1", "From field", id="nothing at all"),
        pytest.param(b"\0\xff\r\n", 550, "5.7.1", "From field", id="rubbish"),
    ],
)
async def test_what_may_not_be_sent_is_refused(
    served: Served, raw: bytes, code: int, status: str, words: str
) -> None:
    client = await served.user()
    reply = await client.submit(raw)
    assert (reply.code, reply.status) == (code, status)
    assert words in reply.text
    assert await served.queued() == ()
    assert await served.sent_copies() == 0
    assert (await client.submit(message())).code == 250, "the session goes on"


async def test_commands_come_in_groups(served: Served) -> None:
    """RFC 2920, and a second message right behind the first one's end."""
    client = await served.user()
    envelope = f"MAIL FROM:<{ADDRESS}>\r\nRCPT TO:<{TO}>\r\nDATA\r\n".encode()
    await client.send(envelope)
    assert [(await client.reply()).code for _ in range(3)] == [250, 250, 354]
    await client.send(message() + b".\r\n" + envelope)
    assert [(await client.reply()).code for _ in range(4)] == [250, 250, 250, 354]
    await client.send(message(Message_ID="<2@erp>") + b".\r\nQUIT\r\n")
    assert [(await client.reply()).code for _ in range(2)] == [250, 221]
    assert await client.at_end()
    assert len(await served.queued()) == 2


async def test_a_client_may_say_all_it_has_to_say_and_close_its_side(served: Served) -> None:
    client = await served.connect()
    lines = f"EHLO x\r\n{LOG_IN}\r\nMAIL FROM:<{ADDRESS}>\r\nRCPT TO:<{TO}>\r\nDATA\r\n"
    await client.send(lines.encode() + message() + b".\r\n")
    client.writer.write_eof()
    codes = [(await client.reply()).code for _ in range(6)]
    assert codes == [250, 235, 250, 250, 354, 250]
    assert await client.at_end()
    assert len(await served.queued()) == 1


@pytest.mark.parametrize(
    "end", [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\r\n\0.\r\n"]
)
async def test_nothing_but_the_end_mark_ends_a_message(served: Served, end: bytes) -> None:
    """RFC 5321 §4.1.1.4; CVE-2023-51764 and its relatives."""
    client = await served.user()
    smuggled = f"MAIL FROM:<{ADDRESS}>\r\nRCPT TO:<{TO}>\r\nDATA\r\n".encode()
    raw = message("one") + end + smuggled + message(Message_ID="<2@erp>")
    assert (await client.submit(raw)).code == 250
    assert (await client.do("NOOP")).code == 250, "nothing was left over"
    (text,) = await served.texts()
    assert b"MAIL FROM" in text
    assert text.count(b"\n") == text.count(b"\r\n")


async def test_dots_are_undoubled(served: Served) -> None:
    client = await served.user()
    assert (await client.submit(message("x\r\n") + b"..\r\n...a\r\n.b\r\n")).code == 250
    (text,) = await served.texts()
    assert text.endswith(b"\r\nx\r\n.\r\n..a\r\nb\r\n")


async def test_a_line_of_any_length(served: Served) -> None:
    client = await served.user()
    assert (await client.submit(message("x" * 300_000 + "\r\n"))).code == 250


async def test_a_client_that_goes_away_leaves_nothing_behind(served: Served) -> None:
    client = await served.user()
    await client.do(f"MAIL FROM:<{ADDRESS}>")
    await client.do(f"RCPT TO:<{TO}>")
    await client.do("DATA")
    await client.send(message())
    client.writer.transport.abort()
    other = await served.user()
    assert (await other.submit(message())).code == 250
    assert len(await served.queued()) == 1


# -- who connects ----------------------------------------------------------------------------------


async def test_a_web_page_cannot_send_through_its_readers_browser(serve: Serve) -> None:
    served = await serve(trusted=True)
    client = await served.connect()
    body = f"EHLO x\r\nMAIL FROM:<{ADDRESS}>\r\nRCPT TO:<{TO}>\r\nDATA\r\n".encode() + message()
    await client.send(b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" + body + b".\r\n")
    assert (await client.reply()).code == 421
    assert await client.at_end()
    assert await served.queued() == ()


@pytest.mark.parametrize("trusted", [True, False])
async def test_who_speaks_before_the_banner_sends_nothing_from_a_trusted_network(
    serve: Serve, trusted: bool
) -> None:
    """A request made to hold commands looks like this; who logs in may be in a hurry."""
    served = await serve(trusted=trusted)
    reader, writer = await asyncio.open_connection(served.host, served.port)
    served.stack.push_async_callback(hang_up, writer)
    client = Client(reader, writer)
    commands = ("EHLO x", f"MAIL FROM:<{ADDRESS}>", f"RCPT TO:<{TO}>", "DATA")
    await client.send("".join(f"{one}\r\n" for one in commands).encode() + message() + b".\r\n")
    assert (await client.reply()).code == (421 if trusted else 220)
    if trusted:
        assert await client.at_end()
    assert await served.queued() == ()


async def test_what_fails_in_an_unforeseen_way_leaves_no_message_begun(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A recipient may be missing by then."""

    def breaks(_: object) -> None:
        raise RuntimeError("a fault")

    client = await served.user()
    for command in (f"MAIL FROM:<{ADDRESS}>", f"RCPT TO:<{TO}>"):
        assert (await client.do(command)).code == 250
    with monkeypatch.context() as patch:
        patch.setattr("bridge.smtpserver.session.recipient_of", breaks)
        assert (await client.do("RCPT TO:<due@altra.example>")).code == 451
    assert (await client.do("DATA")).code == 503
    assert (await client.submit(message())).code == 250


async def test_nonsense_ends_the_connection(served: Served) -> None:
    client = await served.connect()
    for _ in range(10):
        assert (await client.do("BLAH")).code == 500
    assert (await client.do("BLAH")).code == 421
    assert await client.at_end()


async def test_a_message_id_that_is_made_is_of_the_senders_domain(served: Served) -> None:
    client = await served.user()
    assert (await client.submit(message(Message_ID=None))).code == 250
    (row,) = await served.queued()
    assert row.message_id.endswith("@pec.example>")
    assert f"Message-ID: {row.message_id}\r\n".encode() in (await served.texts())[0]


async def test_a_trusted_application_needs_no_login_and_little_header(serve: Serve) -> None:
    served = await serve(trusted=True)
    client = await served.connect()
    await client.do("HELO scanner")
    reply = await client.submit(b"Subject: Scansione\r\n\r\nx\r\n", TO, "due@altra.example")
    assert reply.code == 250
    (text,) = await served.texts()
    assert b"Date: Thu, 15 Jan 2026 10:00:00 +0100\r\n" in text
    assert f"From: <{ADDRESS}>\r\nTo: <{TO}>,\r\n <due@altra.example>\r\n".encode() in text
    assert text.endswith(b"Subject: Scansione\r\n\r\nx\r\n")


@pytest.mark.parametrize("urgent", [False, True])
async def test_what_comes_from_an_urgent_network_goes_ahead(serve: Serve, urgent: bool) -> None:
    """Not what a user sends from there, who can mark what is urgent."""
    served = await serve(trusted=True, urgent=urgent)
    application = await served.connect()
    await application.do("HELO scanner")
    for client, name in ((application, "<1@a>"), (await served.user(), "<2@a>")):
        assert (await client.submit(message(Message_ID=name))).code == 250
    rows = await served.store.read(lambda tx: tx.submissions())
    assert [row.urgent for row in rows] == [urgent, False]


async def test_a_trusted_application_sends_for_its_account_only(serve: Serve) -> None:
    served = await serve(trusted=True)
    client = await served.connect()
    await client.do("EHLO scanner")
    assert (await client.do("MAIL FROM:<altro@pec.example>")).code == 550


async def test_a_user_must_name_the_sender_also_in_a_trusted_network(serve: Serve) -> None:
    served = await serve(trusted=True)
    client = await served.user()
    assert (await client.submit(message(From=None))).code == 550


# -- smtplib ---------------------------------------------------------------------------------------


async def test_smtplib_sends(
    serve: Serve, tls_context: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    served = await serve(tls=tls_context)

    def send() -> tuple[int, bytes]:
        with smtplib.SMTP(served.host, served.port, timeout=10) as client:
            client.starttls(context=client_tls)
            client.login(ADDRESS, PASSWORD)
            client.mail(ADDRESS)
            client.rcpt(TO)
            return client.data(message())

    code, words = await asyncio.to_thread(send)
    (row,) = await served.queued()
    assert (code, words.decode()) == (250, f"2.0.0 Ok: queued as {row.id}")


async def test_smtplib_sends_to_addresses_beyond_ascii(served: Served) -> None:
    def send() -> None:
        with smtplib.SMTP(served.host, served.port, timeout=10) as client:
            client.login(ADDRESS, PASSWORD)
            raw = message(To="è@à.example")
            client.sendmail(ADDRESS, ["è@à.example"], raw, ["SMTPUTF8", "BODY=8BITMIME"])

    await asyncio.to_thread(send)
    (row,) = await served.queued()
    assert row.recipients == ("è@à.example",)


async def test_smtplib_says_who_refused(served: Served) -> None:
    def send() -> None:
        with smtplib.SMTP(served.host, served.port, timeout=10) as client:
            client.login(ADDRESS, "sbagliata")

    with pytest.raises(smtplib.SMTPAuthenticationError) as refusal:
        await asyncio.to_thread(send)
    assert refusal.value.smtp_code == 535
