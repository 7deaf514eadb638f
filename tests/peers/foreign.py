"""Mail as others write it: charsets, names, dates, threads; each message with words to look for."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator

WORDS = {
    "utf-8": "Perch\u00e9 citt\u00e0 \u20ac 75",
    "iso-8859-1": "Fr\u00f6sche \u00fcber gar\u00e7on",
    "iso-8859-15": "Co\u00fbt 30 \u20ac c\u0153ur",
    "windows-1252": "\u201cvirgolette\u201d na\u00efve",
    "iso-8859-2": "\u017blu\u0107 z\u0142oty",
    "windows-1251": "\u041f\u0440\u0438\u0432\u0435\u0442 \u043c\u0438\u0440",
    "koi8-r": "\u0414\u043e\u0433\u043e\u0432\u043e\u0440",
    "iso-8859-7": "\u0395\u03bb\u03bb\u03b7\u03bd\u03b9\u03ba\u03ac",
    "windows-1255": "\u05e9\u05dc\u05d5\u05dd",
    "iso-2022-jp": "\u8acb\u6c42\u66f8\u306e\u4ef6",
    "shift_jis": "\u304a\u4e16\u8a71\u306b\u306a\u308a\u307e\u3059",
    "euc-jp": "\u6771\u4eac\u672c\u793e",
    "gb2312": "\u53d1\u7968\u901a\u77e5",
    "big5": "\u767c\u7968\u901a\u77e5",
    "euc-kr": "\uc138\uae08\uacc4\uc0b0\uc11c",
    "us-ascii": "plain words only",
}


def _encoded_word(charset: str, word: str) -> bytes:
    return b"=?%b?B?%b?=" % (charset.encode(), b64encode(word.encode(charset)))


def _of_charsets() -> Iterator[tuple[str, bytes]]:
    for charset, words in WORDS.items():
        text = words.encode(charset)
        word = b" ".join(_encoded_word(charset, one) for one in words.split())
        head = b"From: %b <a@casa.example>\r\nTo: b@casa.example\r\nSubject: %b\r\n" % (word, word)
        mime = b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=%b\r\n" % charset.encode()
        raw = b"Content-Transfer-Encoding: 8bit\r\n\r\n" + text + b"\r\n"
        yield f"{charset}, 8bit", head + mime + raw
        encoded = b"".join(b"=%02X" % byte for byte in text)
        quoted = b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + encoded + b"\r\n"
        yield f"{charset}, quoted-printable", head + mime + quoted


_HEAD = b"From: Anna Verdi <anna@casa.example>\r\nTo: bruno@casa.example\r\n"

DATES = (
    b"Mon, 15 Jan 2024 10:00:00 +0100",
    b"Mon, 15 Jan 2024 23:30:00 -0500",
    b"Tue, 16 Jan 2024 00:30:00 +0900",
    b"15 Jan 2024 10:00 +0000",
    b"Mon, 15 Jan 24 10:00:00 GMT",
    b"Mon, 15 Jan 2024 10:00:00 EST",
    b"Mon, 15 Jan 2024 10:00:00 (CET) +0100",
    b"Mon, 15 Jan 2024 10:00:00 +0100 (Central European Time)",
    b"mon,15 jan 2024 10:00:00 +0100",
    b"Mon, 5 Feb 2024 08:00:00 +0000",
    b"Thu, 29 Feb 2024 23:59:60 +0000",
    b"Thu, 1 Jan 1970 00:00:01 +0000",
    b"Fri, 31 Dec 1999 23:59:59 -1200",
    b"Sat, 01 Jan 2000 00:00:00 +1400",
    b"Wed, 32 Jan 2024 10:00:00 +0000",
    b"yesterday",
    b"",
)

ADDRESSES = (
    b"Rossi, Mario <mario@casa.example>",
    b'"Rossi, Mario" <mario@casa.example>, anna@casa.example',
    b"mario@casa.example (Mario Rossi)",
    b"<mario@casa.example>",
    b"Mario\r\n Rossi\r\n\t<mario@casa.example>",
    b"Clienti: anna@casa.example, bruno@casa.example;",
    b"undisclosed-recipients:;",
    b'"Mario \\"il\\" Rossi" <mario@casa.example>',
    b"=?utf-8?Q?Mario_Rossi?= <mario@casa.example>",
    b"=?utf-8?B?TWFyaW8=?= =?utf-8?B?Um9zc2k=?= <mario@casa.example>",
    b"mario.rossi@sotto.casa.example",
    b"MARIO@CASA.EXAMPLE",
    b"",
)

SUBJECTS = (
    b"Fattura 12",
    b"Re: Fattura 12",
    b"RE: Re: fattura 12",
    b"Fwd: Fattura 12",
    b"[lista] Re: [lista] Fattura 12",
    b"Re[2]: Fattura 12",
    b"[Fwd: Fattura 12]",
    b"Fattura 12 (fwd)",
    b"Fattura   12",
    b"Re: =?utf-8?Q?Fattura_12?=",
    b"=?utf-8?Q?Re:_Fattura?= 12",
    b"AW: Fattura 12",
    b"Re:",
    b"",
    b"zeta",
    b"Alfa",
    b"alfa",
    b"Fattura\r\n 12",
    "Caff\u00e8".encode(),
    b"=?utf-8?Q?caff=C3=A8_latte?=",
    b"caffe latte",
    b"caffe",
    b"CAFFETTERIA",
    b"=?iso-8859-1?Q?=C0_la_carte?=",
    b"=?utf-8?Q?=C5=81=C3=B3d=C5=BA?=",
    b"lodz",
    b"=?utf-8?Q?Stra=C3=9Fe?=",
    b"strasse",
    b"=?utf-8?B?776B?= wide",
    b"_under",
    b"9 numeri",
)


def _of_fields() -> Iterator[tuple[str, bytes]]:
    for date in DATES:
        yield f"Date: {date!r}", _HEAD + b"Subject: date\r\nDate: " + date + b"\r\n\r\ndata\r\n"
    for address in ADDRESSES:
        for name in (b"From", b"Cc", b"Bcc"):
            field = name + b": " + address + b"\r\n"
            yield (
                f"{name.decode()}: {address!r}",
                field + b"To: carla@casa.example\r\nSubject: indirizzo\r\n\r\nindirizzo\r\n",
            )
    for at, subject in enumerate(SUBJECTS):
        when = b"Date: Mon, %d Jan 2024 10:00:00 +0000\r\n" % (at % 5 + 1)
        yield (
            f"Subject: {subject!r}",
            _HEAD + b"Subject: " + subject + b"\r\n" + when + b"\r\noggetto\r\n",
        )


THREADS = {
    "root": (b"<1@t>", b"", b"Preventivo"),
    "reply": (b"<2@t>", b"References: <1@t>", b"Re: Preventivo"),
    "reply to the reply": (b"<3@t>", b"References: <1@t> <2@t>", b"Re: Preventivo"),
    "by In-Reply-To": (b"<4@t>", b"In-Reply-To: <1@t>", b"Re: Preventivo"),
    "of one that is not there": (b"<5@t>", b"References: <0@t>", b"Altro"),
    "another of it": (b"<6@t>", b"References: <0@t>", b"Altro ancora"),
    "its own parent": (b"<7@t>", b"References: <7@t>", b"Giro"),
    "round, first": (b"<8@t>", b"References: <9@t>", b"Tondo"),
    "round, second": (b"<9@t>", b"References: <8@t>", b"Tondo"),
    "an id twice": (b"<1@t>", b"", b"Doppio"),
    "no id": (b"", b"References: <2@t>", b"Senza"),
    "same subject, no reply": (b"<10@t>", b"", b"Preventivo"),
    "by its subject": (b"<11@t>", b"", b"Re: Preventivo"),
    "folded references": (b"<12@t>", b"References: <1@t>\r\n <2@t>\r\n\t<3@t>", b"Re: Preventivo"),
    "words among references": (b"<13@t>", b"References: see <3@t> please", b"Re: x"),
    "an id in quotes": (b'<"14 x"@t>', b"", b"Virgolette"),
    "reply to that": (b"<15@t>", b'References: <"14 x"@t>', b"Re: Virgolette"),
}


def _of_threads() -> Iterator[tuple[str, bytes]]:
    for at, (name, (own, other, subject)) in enumerate(THREADS.items()):
        lines = [
            b"From: a@casa.example",
            b"Subject: " + subject,
            b"Date: Tue, %d Mar 2022 10:00:00 +0000" % (at + 1),
        ]
        if own:
            lines.append(b"Message-ID: " + own)
        if other:
            lines.append(other)
        yield f"thread: {name}", b"\r\n".join(lines) + b"\r\n\r\ndiscussione\r\n"


_PARTS = b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\npreambolo\r\n"
_HTML = (
    b"<html><head><title>Titolo</title><style>p {color: red}</style></head><body><p>Totale&nbsp;"
    b"75 &euro;</p><!-- nascosto --><a href='http://casa.example'>qui</a></body></html>\r\n"
)


def _of_parts() -> Iterator[tuple[str, bytes]]:
    head = _HEAD + b"Subject: parti\r\n"
    text = b"--x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\ntesto citt\xc3\xa0\r\n"
    html = b"--x\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + _HTML
    file = (
        b"--x\r\nContent-Type: application/pdf; name=fattura.pdf\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\nJVBERi0xLjQ=\r\n"
    )
    inner = b"--x\r\nContent-Type: message/rfc822\r\n\r\nSubject: dentro\r\n\r\ncorpo interno\r\n"
    end = b"--x--\r\nepilogo\r\n"
    yield "text and HTML", head + _PARTS + text + html + end
    yield "text and file", head + _PARTS + text + file + end
    yield "message in message", head + _PARTS + text + inner + end
    yield "HTML alone", head + b"MIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n" + _HTML
    encoded = b"Content-Transfer-Encoding: base64\r\n\r\nc2FsZG8gNzUgZXVybw==\r\n"
    yield "base64", head + b"MIME-Version: 1.0\r\n" + encoded


FOREIGN: dict[str, bytes] = {
    **dict(_of_charsets()),
    **dict(_of_fields()),
    **dict(_of_threads()),
    **dict(_of_parts()),
}
