"""What costs, one kind a row: each a function that does it to a running daemon.

A row ends when its input was refused, taken or shown, or after some seconds of trying; what it
cost is seen from elsewhere (``tests.costs.probe``).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator

from starlette.types import Receive, Scope, Send

from bridge.limits import WEB_CONNECTIONS
from bridge.simulator import Operation
from tests.benchmarks.imap_client import USER
from tests.costs.world import TRUSTED, Api, World, bomb, simulator_of

MIB = 1024 * 1024
POUR_S = 3.0
HEAD = f"From: {USER}\r\nTo: uno@altra.example\r\nSubject: prova\r\n".encode()
TEXT = b"MIME-Version: 1.0\r\nContent-Type: text/%b; charset=utf-8%b\r\n"
QP = b"Content-Transfer-Encoding: quoted-printable\r\n"
LINE = b"x" * 996 + b"\r\n"

Row = Callable[[World], Awaitable[object]]
ROWS: dict[str, Row] = {}


def row(name: str) -> Callable[[Row], Row]:
    """Put a function among the rows."""

    def add(function: Row) -> Row:
        ROWS[name] = function
        return function

    return add


def filled(size_bytes: int, piece: bytes) -> bytes:
    """Return so many bytes of a piece."""
    return piece * (size_bytes // len(piece))


def in_lines(content: bytes) -> bytes:
    """Return quoted-printable with soft breaks."""
    return b"=\r\n".join(content[at : at + 72] for at in range(0, len(content), 72))


def message(number: int, body: bytes, *fields: bytes, kind: bytes = b"plain") -> bytes:
    """Return a message that may be submitted."""
    own = b"Message-ID: <%d@hostile.example>\r\n" % number
    return HEAD + own + TEXT % (kind, b"") + b"".join(fields) + b"\r\n" + body


MARKS = "a" + "\u0327\u0301" * 60_000


@row("1 combining marks: text")
async def marks_in_a_text(world: World) -> None:
    await world.arrives(body=MARKS)


@row("1 combining marks: sender and subject")
async def marks_in_a_subject(world: World) -> None:
    await world.arrives(subject=f"POSTA CERTIFICATA: {MARKS}", sender=f'"{MARKS}" <a@b.example>')


@row("1 combining marks: submitted, searched for")
async def marks_submitted(world: World) -> None:
    await world.submit(message(1, MARKS.encode(), b"Comments: " + MARKS.encode() + b"\r\n"))
    needle = MARKS.encode()
    stream = await world.imap()
    await stream.command("SELECT INBOX")
    await stream.command(b"SEARCH CHARSET UTF-8 BODY {%d+}\r\n%b" % (len(needle), needle))
    stream.close()


@row("2 literals without end before login")
async def literals(world: World) -> None:
    stream = await world.imap(login=False)
    stream.write(b"a LOGIN ")
    await stream.pour(b"{0+}\r\n" * 10_000, POUR_S)


@row("3 markup: <, <br, a blank and a letter")
async def markup(world: World) -> None:
    for number, piece in enumerate((b"<", b"<br", b" a")):
        body = in_lines(filled(8 * MIB, piece))
        await world.append(message(30 + number, body, QP, kind=b"html"))


@row("4 SMTP lines without end before login")
async def smtp_lines(world: World) -> None:
    for line in (b"NOOP\r\n", b"EHLO x\r\n", b"\xff\r\n"):
        stream = await world.smtp(login=False)
        await stream.pour(line * 5_000, POUR_S)


@row("5 flowed text of 24 MB")
async def flowed(world: World) -> None:
    body = filled(24 * MIB, b"a line that goes on and on and does not end \r\n> here \r\n")
    await world.submit(message(5, body).replace(b"utf-8", b"utf-8; format=flowed"))


@row("6 a megabyte of line feeds")
async def line_feeds(world: World) -> None:
    stream = await world.imap()
    await stream.pour(b"\n" * MIB, POUR_S, 4 * MIB)


@row("7 a name of 20,000 levels")
async def levels(world: World) -> None:
    stream = await world.imap()
    name = b"a/" * 20_000 + b"a"
    await stream.command(b"SUBSCRIBE {%d+}\r\n%b" % (len(name), name))
    await stream.command(b"CREATE {%d+}\r\n%b" % (len(name), name))
    await stream.command('LSUB "" "*"')
    stream.close()


@row("8 the API: gzip within gzip")
async def packed_twice(world: World) -> None:
    answer = bomb()

    async def instead(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(scope, receive, send)

    world.api.instead = instead
    await asyncio.sleep(POUR_S)
    world.api.instead = None


@row("10 passwords guessed on both protocols")
async def guesses(world: World) -> None:
    async def guess(number: int) -> None:
        with contextlib.suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(POUR_S):
                if number % 2:
                    stream = await world.imap(login=False)
                    while await stream.command(f"LOGIN somebody{number}@pec.example wrong"):
                        pass
                stream = await world.smtp(login=False)
                stream.write(b"EHLO x\r\n" + b"AUTH PLAIN AGEAYg==\r\n" * 100)
                while await stream.line():
                    pass

    await asyncio.gather(*(guess(number) for number in range(60)))


@row("11 700 connections that say nothing")
async def silence(world: World) -> None:
    ports = [world.imap_port] * 500 + [world.smtp_port] * 200
    held = [await asyncio.open_connection("127.0.0.1", port) for port in ports]
    stream = await world.imap()
    await stream.command("NOOP")
    for _, writer in held:
        writer.transport.abort()


@row("12 charsets that cost")
async def charsets(world: World) -> None:
    for charset, needle in (("punycode", b"a" * 400_000), ("punycode", b"-\xff"), ("idna", b"x")):
        stream = await world.imap()
        await stream.command("SELECT INBOX")
        await stream.command(
            b"SEARCH CHARSET %b TEXT {%d+}\r\n%b" % (charset.encode(), len(needle), needle)
        )
        stream.close()


@row("13 4,000 sections of 9,000 parts")
async def sections(world: World) -> None:
    parts = b"".join(b"--b\r\n\r\n%d\r\n" % number for number in range(9_000))
    raw = HEAD + b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n' + parts + b"--b--\r\n"
    await world.append(raw)
    wanted = b" ".join(b"BODY.PEEK[%d]" % number for number in range(1, 4_001))
    stream = await world.imap()
    await stream.command("SELECT Drafts")
    await stream.command(b"FETCH * (" + wanted + b")")
    stream.close()


@row("14 groups of 560 KB, seven at once")
async def groups(world: World) -> None:
    to = b"g:" + filled(560_000, b"a@b.example,\r\n ") + b"c@d.example;"
    texts = [
        message(140 + n, b"x\r\n").replace(b"To: uno@altra.example", b"To: " + to) for n in range(7)
    ]
    await asyncio.gather(*map(world.submit, texts))


@row("15 addresses within addresses")
async def nested(world: World) -> None:
    for number, to in enumerate((b"(" * 60_000, b"a:" * 60_000, b"<" * 60_000)):
        raw = message(150 + number, b"x\r\n").replace(b"uno@altra.example", to)
        await world.submit(raw)
        await world.append(raw)


@row("16 8,000 fields, 10 MB of quotes, a group of commas")
async def fields(world: World) -> None:
    many = b"".join(b"To: a%d@b.example\r\n" % number for number in range(8_000))
    for to in (many, b"To: " + b'"' * (10 * MIB) + b"\r\n", b"To: g:" + b"," * MIB + b";\r\n"):
        await world.append(to + b"Subject: x\r\n\r\nx\r\n")


@row("19 answers of gigabytes")
async def answers(world: World) -> None:
    await world.append(b"Subject: " + filled(2 * MIB, b"x" * 900 + b"\r\n ") + b"\r\n\r\nx\r\n")
    await world.append(HEAD + b"\r\n" + filled(2 * MIB, LINE))
    stream = await world.imap()
    await stream.command("SELECT Drafts")
    for wanted in (
        " ".join(f"BODY.PEEK[]<{number}.{2 * MIB}>" for number in range(1_000)),
        " ".join(f"BODY.PEEK[HEADER.FIELDS (SUBJECT X-{n})]" for n in range(512)),
    ):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(POUR_S):
                await stream.command(f"FETCH * ({wanted})")
        stream.writer.transport.abort()
        stream = await world.imap()
        await stream.command("SELECT Drafts")
    stream.close()


def commands_that_cost() -> Iterator[bytes]:
    """Yield commands of a user whose work or text is large."""
    needle = filled(8 * MIB, b"xy")
    yield b"SEARCH HEADER SUBJECT {%d+}\r\n%b" % (len(needle), needle)
    yield b"SEARCH " + b"OR SEEN " * 4_000 + b"SEEN"
    yield b"SEARCH " + b"TEXT x " * 7_000 + b"ALL"
    yield b'LIST "" (' + b" ".join(b"%%*%d" % number for number in range(8_000)) + b")"
    yield b"SEARCH UID " + b",".join(b"%d" % number for number in range(1, 9_000, 2))
    yield b"APPEND Drafts CATENATE (" + b" ".join([b"TEXT {1+}\r\nx"] * 900) + b")"


@row("20 searches, lists and pieces")
async def searches(world: World) -> None:
    for command in commands_that_cost():
        stream = await world.imap()
        await stream.command("SELECT INBOX")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(20):
                await stream.command(command)
        stream.writer.transport.abort()


@row("20 a thread of 30,000 ancestors")
async def ancestors(world: World) -> None:
    for start in range(0, 30_000, 1_000):
        names = b"".join(b" <%d@x>\r\n" % number for number in range(start, start + 1_000))
        await world.append(b"References:" + names + b"Subject: x\r\n\r\nx\r\n")
    stream = await world.imap()
    await stream.command("SELECT Drafts")
    await stream.command("THREAD REFERENCES UTF-8 ALL")
    stream.close()


@row("21 another protocol from a trusted network")
async def other_protocols(world: World) -> None:
    before = len(world.simulator.sent)
    for start in (b"\x16\x03\x01\x02\x00", b"PROPFIND / HTTP/1.1\r\n", b"PROXY TCP4 a b 1 2\r\n"):
        name = f"another protocol {start[:4]!r}".encode()
        sent = message(21, b"x\r\n").replace(b"prova", name)
        stream = await world.smtp(login=False, source=TRUSTED)
        stream.write(start + b"\r\nEHLO x\r\nMAIL FROM:<%b>\r\n" % USER.encode())
        stream.write(b"RCPT TO:<uno@altra.example>\r\nDATA\r\n" + sent + b".\r\n")
        while await stream.line():
            pass
    posted = world.simulator.sent[before:]
    assert not [one for one in posted if "another protocol" in one.subject]


@row("23 receipts whose quotes go on and on")
async def receipts(world: World) -> None:
    for piece in ("non" + " " * 32_000, "(" + " " * 64_000, "il giorno " * 20_000):
        await world.arrives(
            subject=f"AVVISO DI MANCATA CONSEGNA: {piece[:100]}",
            sender='"posta-certificata@pec.example" ',
            body=f"Il messaggio {piece} non è stato consegnato {piece}",
        )


@row("24 80,000 senders")
async def senders(world: World) -> None:
    many = filled(MIB, b"a@b.example,\r\n ") + b"c@d.example"
    await world.submit(message(24, b"x\r\n").replace(USER.encode(), many, 1))


async def at_once(world: World, count: int, command: bytes) -> None:
    """Have as many clients give a command at the same time."""
    streams = [await world.imap() for _ in range(count)]
    for stream in streams:
        await stream.command("SELECT INBOX")
    await asyncio.gather(*(stream.command(command) for stream in streams))


@row("25 forty clients that fetch and search everything")
async def everything(world: World) -> None:
    items = b"UID FLAGS ENVELOPE BODYSTRUCTURE PREVIEW BODY.PEEK[]"
    await at_once(world, 40, b"FETCH 1:* (" + items + b")")
    await at_once(world, 40, b"SEARCH TEXT prova")
    await at_once(world, 40, b"SORT (SUBJECT FROM DATE TO SIZE) UTF-8 ALL")


@row("26 hundreds of mailboxes, and flags of thousands of copies")
async def copies(world: World) -> None:
    stream = await world.imap()
    for number in range(300):
        stream.write(b"m CREATE x/%d\r\nm SUBSCRIBE x/%d\r\n" % (number, number))
    await stream.command('LIST "" "%*%*%*%*%*" RETURN (SUBSCRIBED STATUS (MESSAGES UNSEEN))')
    await stream.command("SELECT INBOX")
    for _ in range(20):
        await stream.command("COPY 1:* x/1")
    await stream.command("SELECT x/1")
    await stream.command("STORE 1:* +FLAGS (a b c \\Deleted)")
    await stream.command("EXPUNGE")


@row("27 recipients and transactions without end")
async def recipients(world: World) -> None:
    start = b"MAIL FROM:<%b>\r\n" % USER.encode()
    many = b"".join(b"RCPT TO:<a%d@altra.example>\r\n" % number for number in range(5_000))
    for lines in (start + many, (start + b"RSET\r\n") * 10_000, b"BDAT 1000000000\r\n" * 100):
        stream = await world.smtp()
        stream.write(lines + b"QUIT\r\n")
        while await stream.line():
            pass


@row("28 pages asked for without end, and not read")
async def pages(world: World) -> None:
    await asked_for(world, "/login", "/healthz", "/readyz", "/static/style.css")


@row("29 figures asked for without end")
async def figures(world: World) -> None:
    await asked_for(world, "/metrics")


async def asked_for(world: World, *paths: str) -> None:
    """Ask for pages on all the connections that the page has, a hundred times each."""
    host = f"Host: 127.0.0.1:{world.web_port}\r\n\r\n"
    asked = "".join(f"GET {path} HTTP/1.1\r\n{host}" for path in paths) * (100 // len(paths))
    for _ in range(WEB_CONNECTIONS):
        stream = await world.http()
        stream.write(asked.encode())
    await asyncio.sleep(POUR_S)


@row("17 many of 25 MB at once")
async def many_large(world: World) -> None:
    body = filled(24 * MIB, LINE)
    texts = [message(1_700 + n, body).replace(b"uno@", b"http-400-x@", 1) for n in range(24)]
    codes = await asyncio.gather(
        *(world.submit(text, "http-400-x@altra.example") for text in texts)
    )
    taken = [code for code in codes if code.startswith(b"250")]
    assert len(taken) + sum(code.startswith(b"452") for code in codes) == len(codes), codes[0]
    while _refused(world) < len(taken):  # noqa: ASYNC110 - the API has no event for it
        await asyncio.sleep(0.5)


def _refused(world: World) -> int:
    return sum(call.status == 400 for call in world.simulator.calls(Operation.SEND))


@row("18 a body of 40 MB from the API")
async def large_row(world: World) -> None:
    await world.arrives(subject="grande", body="<p>" + "testo " * (40 * MIB // 6))


@row("9 10,000 rows in one page")
async def one_page(world: World) -> None:
    other = simulator_of(page_size=10_000)
    other.seed(USER, 10_000, body_bytes=100)
    world.api.instead = Api(other)
    await asyncio.sleep(10 * POUR_S)
    world.api.instead = None
