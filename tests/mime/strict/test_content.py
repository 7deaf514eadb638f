from __future__ import annotations

import base64
import struct
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.mime.strict.attachment import File
from bridge.mime.strict.content import Content, Sealed, check, convert, sealed
from bridge.mime.strict.field import Unreadable
from bridge.mime.strict.part import parse
from tests.mime.strict.test_tnef import CODE_PAGE, attribute, simple_file, tnef

SUBMITTED = Path(__file__).with_name("submitted")
PAGE = "<!DOCTYPE html>\n<html><body>\n{}\n</body></html>\n"
LINE = '<div style="font-family: monospace">{}</div>'


def submitted(name: str) -> Content:
    return convert((SUBMITTED / f"{name}.eml").read_bytes().replace(b"\n", b"\r\n"))


def text(words: str, kind: str = "text/plain", *fields: str) -> str:
    """Return a part."""
    return "\r\n".join([f"Content-Type: {kind}", *fields, "", words])


def several(subtype: str, *parts: str, boundary: str = "b", more: str = "") -> str:
    """Return a multipart."""
    body = "".join(f"--{boundary}\r\n{part}\r\n" for part in parts)
    head = f'Content-Type: multipart/{subtype}; boundary="{boundary}"{more}'
    return f"{head}\r\n\r\n{body}--{boundary}--\r\n"


def file(content: bytes, *fields: str, kind: str = "application/pdf") -> str:
    """Return a part in base64."""
    encoded = base64.b64encode(content).decode()
    return text(encoded, kind, "Content-Transfer-Encoding: base64", *fields)


def image(content_id: str, *fields: str) -> str:
    return file(b"png", f"Content-ID: <{content_id}>", *fields, kind="image/png")


def sent(message: str) -> Content:
    return convert(message.encode())


def page(*shown: str) -> str:
    return PAGE.format("\n".join(shown))


# -- the body ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "body"),
    [
        pytest.param(text("x"), page(LINE.format("x")), id="text"),
        pytest.param(text("<p>x</p>", "text/html"), page("<p>x</p>"), id="HTML"),
        pytest.param(
            several("alternative", text("plain"), text("<p>rich</p>", "text/html")),
            page("<p>rich</p>"),
            id="the HTML of alternatives",
        ),
        pytest.param(
            several("alternative", text("<p>rich</p>", "text/html"), text("plain")),
            page("<p>rich</p>"),
            id="wherever it stands",
        ),
        pytest.param(
            several("alternative", text("one"), text("two")),
            page(LINE.format("two")),
            id="the last text of alternatives",
        ),
        pytest.param(
            several("mixed", text("one"), text("<p>two</p>", "text/html"), text("three")),
            page(LINE.format("one"), "<p>two</p>", LINE.format("three")),
            id="several texts in order",
        ),
        pytest.param(
            several(
                "mixed",
                text("before"),
                several(
                    "alternative", text("p"), text("<p>rich</p>", "text/html"), boundary="inner"
                ),
            ),
            page(LINE.format("before"), "<p>rich</p>"),
            id="alternatives among them",
        ),
        pytest.param(text("x", 'text/plain; name="x.txt"'), page(LINE.format("x")), id="named"),
        pytest.param(file(b"%PDF"), page("<div></div>"), id="nothing to read"),
        pytest.param(
            text("a \r\nb", "text/plain; format=flowed"), page(LINE.format("a b")), id="flowed"
        ),
        pytest.param(
            text("è", "text/plain; charset=x-none"),
            page(
                '<p style="color: #900"><em>'
                "[unknown charset &#x27;x-none&#x27;, read as UTF-8]</em></p>",
                LINE.format("&#232;"),
            ),
            id="a charset nobody knows is marked",
        ),
        pytest.param(
            text("<html><body>è</body></html>", "text/html; charset=x-none"),
            page(
                '<p style="color: #900"><em>'
                "[unknown charset &#x27;x-none&#x27;, read as UTF-8]</em></p>",
                "<div>&#232;</div>",
            ),
            id="in HTML too",
        ),
    ],
)
def test_body(message: str, body: str) -> None:
    content = sent(message)
    assert content.body == body
    assert content.body.isascii()


@pytest.mark.parametrize(
    ("subject", "shown"),
    [
        ("Fattura", "Fattura"),
        ("=?utf-8?q?Citt=C3=A0?=", "Città"),
        ("lungo\r\n  ancora", "lungo  ancora"),
        ("lungo\r\n\tancora", "lungo ancora"),
        ("Prot.  12   del\u00a0\u00a03", "Prot.  12   del\u00a0\u00a03"),
        ("=?utf-8?q?Prot.__12=09del=00_3?=", "Prot.  12 del 3"),
        ("=?utf-8?b?YQpiDQpj?=", "a b  c"),
        ("", ""),
        ("è\x01", "è"),
    ],
)
def test_subject(subject: str, shown: str) -> None:
    assert sent(f"Subject: {subject}\r\n{text('x')}").subject == shown


def test_a_message_without_a_subject() -> None:
    assert sent(text("x")).subject == ""


# -- images -------------------------------------------------------------------------------------

SHOWS = text('<img src="cid:a@b">', "text/html")
SHOWN = page('<img src="data:image/png;base64,cG5n">')


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(several("related", SHOWS, image("a@b")), id="related"),
        pytest.param(
            several("related", image("a@b"), SHOWS.replace("\r\n", "\r\nContent-ID: <root>\r\n", 1),
                    more='; start="<root>"'),
            id="the root is not first",
        ),
        pytest.param(several("mixed", SHOWS, image("a@b")), id="mixed, as broken clients do"),
        pytest.param(
            several("related", image("a@b"), SHOWS, more='; type="Text/HTML"'),
            id="the root's type is not first",
        ),
        pytest.param(
            several("related", image("a@b"), SHOWS, more='; start="<none>"'),
            id="an image cannot be the root",
        ),
        pytest.param(
            several(
                "related",
                image("a@b"),
                several("alternative", text("x"), SHOWS, boundary="inner"),
                more="; type=multipart/alternative",
            ),
            id="the root is alternatives, and not first",
        ),
        pytest.param(
            several(
                "related",
                several("alternative", text("x"), SHOWS, boundary="inner"),
                image("a@b", 'Content-Disposition: inline; filename="a.png"'),
            ),
            id="Outlook",
        ),
        pytest.param(
            several(
                "alternative", text("x"), several("related", SHOWS, image("a@b"), boundary="i")
            ),
            id="Thunderbird",
        ),
    ],
)  # fmt: skip
def test_images_go_inside_the_body(message: str) -> None:
    content = sent(message)
    assert content.body == SHOWN
    assert content.files == ()


def test_an_image_nobody_refers_to_stays_a_file() -> None:
    content = sent(several("related", SHOWS, image("a@b"), image("other")))
    assert [(one.name, one.content) for one in content.files] == [("allegato-1.png", b"png")]


@pytest.mark.parametrize(
    "root", [text("x"), several("alternative", text("x"), text("x"), boundary="i")]
)
def test_a_root_that_may_be_one_is_the_first_part(root: str) -> None:
    content = sent(several("related", root, text("<p>y</p>", "text/html")))
    assert content.body == page(LINE.format("x"))
    assert [one.content for one in content.files] == [b"<p>y</p>"]


@pytest.mark.parametrize(
    "placement", ["inline; filename=a.png", "inline", "", "attachment; filename=a.png"]
)
@pytest.mark.parametrize("subtype", ["related", "mixed"])
def test_an_image_that_is_shown_does_not_travel_twice(placement: str, subtype: str) -> None:
    inline = image("a@b", f"Content-Disposition: {placement}")
    content = sent(several(subtype, SHOWS, inline))
    assert content.body == SHOWN
    assert content.files == ()


@pytest.mark.parametrize("kind", ["image/tiff", "image/heic", "IMAGE/X-EMF"])
def test_an_image_that_many_programs_cannot_show_is_a_file(kind: str) -> None:
    shown = file(b"png", "Content-ID: <a@b>", "Content-Disposition: inline", kind=kind)
    content = sent(several("related", SHOWS, shown))
    assert content.body == page('<img src="cid:a@b">')
    assert [one.content for one in content.files] == [b"png"]


@pytest.mark.parametrize(
    "markup",
    [
        '<a href="cid:d@x">atto</a>',
        '<object data="cid:d@x"></object>',
        '<embed src="cid:d@x">',
        '<iframe src="cid:d@x"></iframe>',
        '<link rel="stylesheet" href="cid:d@x">',
        "vedi cid:d@x",
        "<!-- <img src='cid:d@x'> -->",
        '<p title="cid:d@x">',
        "<textarea><img src=cid:d@x></textarea>",
    ],
)
@pytest.mark.parametrize("kind", ["application/pkcs7-mime", "image/png", "application/pdf"])
@pytest.mark.parametrize("disposition", ["inline", "attachment"])
def test_what_is_not_shown_stays_a_file(markup: str, kind: str, disposition: str) -> None:
    linked = file(
        b"signed",
        f"Content-Disposition: {disposition}; filename=atto",
        "Content-ID: <d@x>",
        kind=kind,
    )
    content = sent(several("related", text(markup, "text/html"), linked))
    assert content.body == page(markup)
    assert content.files == (File("atto", kind, b"signed"),)


def test_a_file_that_an_image_element_names_is_still_a_file() -> None:
    document = file(b"%PDF", "Content-ID: <a@b>", kind="application/pdf; name=a.pdf")
    content = sent(several("related", SHOWS, document))
    assert content.body == page('<img src="cid:a@b">')
    assert [one.content for one in content.files] == [b"%PDF"]


def test_an_image_both_shown_and_linked_goes_inside_once() -> None:
    markup = '<a href="cid:a@b"><img src="cid:a@b"></a>'
    content = sent(several("related", text(markup, "text/html"), image("a@b")))
    assert content.body == page('<a href="cid:a@b"><img src="data:image/png;base64,cG5n"></a>')
    assert content.files == ()


def test_an_image_of_no_type_is_known_by_its_name() -> None:
    plain = file(b"png", "Content-ID: <a@b>", kind='application/octet-stream; name="a.PNG"')
    assert sent(several("related", SHOWS, plain)).body == SHOWN


def test_text_about_an_image_stays_text() -> None:
    content = sent(several("mixed", text("<img src=cid:a@b>"), image("a@b")))
    assert "base64" not in content.body
    assert len(content.files) == 1


# -- files --------------------------------------------------------------------------------------


def test_names_are_given_by_type_and_number() -> None:
    content = sent(
        several(
            "mixed",
            file(b"1"),
            file(b"2", 'Content-Disposition: attachment; filename="x.pdf"'),
            file(b"3", 'Content-Disposition: attachment; filename="X.pdf"'),
            file(b"4", kind="application/x-unheard-of"),
        )
    )
    assert [(one.name, one.content) for one in content.files] == [
        ("allegato-1.pdf", b"1"),
        ("x.pdf", b"2"),
        ("X (2).pdf", b"3"),
        ("allegato-4.bin", b"4"),
    ]


@pytest.mark.parametrize(
    "fields",
    [
        ["Content-Disposition: attachment"],
        ["Content-Disposition: inline; filename=x.txt"],
        ["Content-Disposition: unheard-of"],
    ],
    ids=["attached", "named", "unknown disposition"],
)
def test_text_that_is_a_file(fields: list[str]) -> None:
    content = sent(several("mixed", text("read me"), text("a  b\r\n", "text/plain", *fields)))
    assert content.body == page(LINE.format("read me"))
    assert [one.content for one in content.files] == [b"a  b\r\n"]


NAMED = "text/html; name=body.html"


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(several("mixed", text("<p>x</p>", NAMED, "Content-Disposition: inline")),
                     id="alone"),
        pytest.param(several("mixed", text("<p>x</p>", NAMED), file(b"%PDF")), id="by a file"),
        pytest.param(several("mixed", text(" \r\n"), text("<p>x</p>", NAMED)), id="by a blank one"),
        pytest.param(several("alternative", text("x"), text("<p>x</p>", NAMED)),
                     id="an alternative"),
        pytest.param(
            several("alternative", text("x"), several("related", text("<p>x</p>", NAMED),
                    boundary="i")),
            id="the root of an alternative",
        ),
        pytest.param(
            several("alternative", text("x", "text/plain; name=x"), text("<p>x</p>", NAMED)),
            id="all of the alternatives",
        ),
    ],
)  # fmt: skip
def test_inline_text_is_the_text_even_if_it_has_a_name(message: str) -> None:
    content = sent(message)
    assert "<p>x</p>" in content.body
    assert all(one.content == b"%PDF" for one in content.files)


@pytest.mark.parametrize(
    ("name", "is_file"),
    [("IT01_a1.xml", True), ("fattura.PDF", True), ("a.xml.p7m", True), ("a.htm", False),
     ("a.txt", False), ("Diffida n. 12", False), ("lettera", False)],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["text/plain", "text/html"])
def test_a_text_that_is_called_like_a_file_is_one(name: str, is_file: bool, kind: str) -> None:
    content = sent(text("words", f'{kind}; name="{name}"'))
    assert [(one.name, one.content) for one in content.files] == [(name, b"words")] * is_file
    assert ("words" in content.body) is not is_file


@pytest.mark.parametrize(
    ("parts", "shown"),
    [
        ([text("x"), text(" \r\n", "text/html")], LINE.format("x")),
        ([text("x"), text("")], LINE.format("x")),
        ([text(""), text("<p>x</p>", "text/html"), several("mixed", text(" "), boundary="i")],
         "<p>x</p>"),
        ([text(""), text("", "text/html")], ""),
        ([text("x"), several("related", text("", "text/html"), image("a"), boundary="i")], ""),
    ],
)  # fmt: skip
def test_an_empty_alternative_is_not_the_best(parts: list[str], shown: str) -> None:
    assert sent(several("alternative", *parts)).body == page(shown)


@pytest.mark.parametrize("kind", ["text/plain", "text/html"])
def test_controls_are_not_posted(kind: str) -> None:
    content = sent(
        text("Vi\x00 dif\x08fidi\u0085amo\x1b\x7f\u0080 5\x0c", f"{kind}; charset=utf-8")
    )
    assert "Vi diffidiamo 5\x0c" in content.body


def test_files_among_alternatives_are_not_lost() -> None:
    calendar = text("BEGIN:VCALENDAR", "text/calendar; method=REQUEST")
    rich = several("mixed", text("<p>x</p>", "text/html"), file(b"in rich"), boundary="rich")
    plain = several("mixed", text("x"), file(b"in plain"), boundary="plain")
    content = sent(several("alternative", plain, rich, calendar, text("x", "text/enriched")))
    assert content.body == page("<p>x</p>")
    assert [(one.name, one.content) for one in content.files] == [
        ("allegato-1.pdf", b"in plain"),
        ("allegato-2.pdf", b"in rich"),
        ("allegato-3.ics", b"BEGIN:VCALENDAR"),
    ]


@pytest.mark.parametrize("name", ["", "; name=nota", "; name=nota.EML"])
def test_an_attached_message_is_whole_and_called_eml(name: str) -> None:
    inner = f"Subject: in\r\n{several('mixed', text('x'), file(b'1'), boundary='i')}"
    content = sent(several("mixed", text("x"), text(inner, f"message/rfc822{name}")))
    (attached,) = content.files
    assert attached.content == inner.encode()
    assert attached.name.lower().endswith(".eml")
    assert content.body == page(LINE.format("x"))


# -- signed and encrypted -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "is_sealed"),
    [
        ("multipart/signed; boundary=b", True),
        ("multipart/encrypted; boundary=b", True),
        ("application/pkcs7-mime; smime-type=enveloped-data; name=x.p7m", True),
        ("application/x-pkcs7-mime; name=smime.p7m", True),
        ("application/pkcs7-mime", True),
        ("application/pkcs7-mime; name=fattura.xml.p7m", False),
        ("application/pgp-encrypted", True),
        ("multipart/mixed; boundary=b", False),
        ("text/plain", False),
    ],
)
def test_sealed(kind: str, is_sealed: bool) -> None:
    message = parse(f"Content-Type: {kind}\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n".encode())
    assert bool(sealed(message)) is is_sealed


def test_a_sealed_message_is_not_taken_apart() -> None:
    with pytest.raises(Sealed, match="multipart/signed"):
        submitted("signed")


def test_or_travels_whole_without_what_only_its_sender_may_see() -> None:
    signed = several("signed", text("x"), file(b"sig"))
    hidden = "Bcc: x@y\r\nSubject: S\r\nDisposition-Notification-To: a@b\r\nX-Pec-Reference: R1\r\n"
    content = convert((hidden + signed).encode(), "attach")
    (attached,) = content.files
    assert (attached.name, attached.media_type) == ("messaggio-1.eml", "message/rfc822")
    assert attached.content == f"Subject: S\r\n{signed}".encode()
    assert content.subject == "S"
    assert "messaggio-1.eml" in content.body


# -- real messages --------------------------------------------------------------------------------


def test_thunderbird() -> None:
    content = submitted("thunderbird")
    assert content.body.startswith("<!DOCTYPE html>")
    assert 'src="data:image/png;base64,iVBORw0K' in content.body
    assert "il logo &#232; sotto" in content.body
    assert [one.name for one in content.files] == ["Attività 2026.pdf"]


def test_outlook_with_winmail_dat() -> None:
    content = submitted("outlook-winmail")
    assert "l'importo &#232; di 20 &#8364;." in content.body
    named = [(one.name, one.media_type) for one in content.files]
    assert named == [("Contratto n° 1.pdf", "application/pdf"), ("note.txt", "text/plain")]
    assert content.files[1].content == b"note\r\n"


@pytest.mark.parametrize(
    ("page", "title", "name"),
    [
        (1252, b"Citt\xe0.pdf", "Città.pdf"),
        (932, "契約書.pdf".encode("cp932"), "契約書.pdf"),
        (65001, b"Citt\xc3\xa0.pdf", "Città.pdf"),
        (65001, b"Citt\xc3.pdf", ""),
        (932, "契約".encode("cp932")[:-1], ""),
        (1253, b"\xff.pdf", ""),
    ],
)
def test_a_name_in_winmail_dat_is_read_whole_or_refused(page: int, title: bytes, name: str) -> None:
    content = tnef(attribute(CODE_PAGE, struct.pack("<II", page, 0)), simple_file(title, b"%PDF"))
    message = several("mixed", text("x"), file(content, kind="application/ms-tnef"))
    if name:
        assert sent(message).files == (File(name, "application/pdf", b"%PDF"),)
    else:
        with pytest.raises(Unreadable, match=r"winmail\.dat"):
            check(parse(message.encode()))


def test_a_damaged_winmail_dat_is_sent_as_it_came() -> None:
    damaged = b"\x78\x9f\x3e\x22no"
    envelope = file(damaged, kind="application/ms-tnef; name=winmail.dat")
    content = sent(several("mixed", text("x"), envelope))
    assert [(one.name, one.content) for one in content.files] == [("winmail.dat", damaged)]


def test_an_invoice_and_its_signature_are_untouched() -> None:
    content = submitted("fattura")
    names = ["IT01234567890_00001.xml.p7m", "IT01234567890_00002.xml", "allegato-3.ics"]
    assert [one.name for one in content.files] == names
    assert [one.media_type for one in content.files] == [
        "application/pkcs7-mime",
        "text/xml",
        "text/calendar",
    ]


def test_an_old_program_with_8_bits_and_no_charset() -> None:
    content = submitted("erp-8bit")
    assert content.subject == "Sollecito n° 12"
    shown = "la fattura &#232; scaduta.<br>\n&nbsp; &nbsp; &nbsp; &nbsp; Importo: &nbsp; &nbsp; "
    assert shown in content.body
    assert "1.234,00 &#8364;" in content.body


def test_flowed_text_with_quotes() -> None:
    body = submitted("flowed").body
    assert "che il programma ha spezzato." in body
    assert body.count("<blockquote") == body.count("</blockquote>") == 3


def test_requests_for_read_receipts_do_not_travel() -> None:
    content = submitted("receipt-request")
    assert content.files == ()
    assert "azienda@" not in content.body


@pytest.mark.parametrize("name", ["japanese", "apple-mixed", "php-equal-names"])
def test_sending_twice_sends_the_same(name: str) -> None:
    assert submitted(name) == submitted(name)


_LEAVES = st.sampled_from(
    [text("x"), text("<p>x</p>", "text/html"), file(b"1"), image("a@b"), SHOWS, text("y", "a/b")]
)
_TREES = st.recursive(
    _LEAVES,
    lambda children: st.builds(
        lambda subtype, parts, number: several(subtype, *parts, boundary=f"b{number}"),
        st.sampled_from(["mixed", "alternative", "related", "digest", "x-unknown"]),
        st.lists(children, min_size=1, max_size=4),
        st.uuids(),
    ),
    max_leaves=12,
)


@given(_TREES)
def test_no_file_is_lost_whatever_the_tree(message: str) -> None:
    content = sent(message)
    names = [one.name.casefold() for one in content.files]
    assert len(set(names)) == len(names)
    kinds = ("application/pdf", "a/b")
    files = [one for one in parse(message.encode()).walk() if one.content_type in kinds]
    assert len([one for one in content.files if one.media_type in kinds]) == len(files)


def test_a_large_body_full_of_images_takes_no_longer_than_it_must() -> None:
    """Nothing looks through the images once they are in; a second is a hundred times too long."""
    large = several(
        "related",
        SHOWS,
        file(bytes(3 * 1024**2), "Content-ID: <a@b>", kind="image/png"),
    ).encode()
    begin_s = time.process_time()
    assert len(convert(large).body) > 4 * 1024**2
    assert time.process_time() - begin_s < 1


# -- what it weighs -------------------------------------------------------------------------------


@given(_TREES)
def test_what_is_sent_weighs_what_the_check_said(message: str) -> None:
    content = convert(message.encode())
    files_bytes = sum(len(base64.b64encode(one.content)) for one in content.files)
    uris = content.body.count("data:image/png;base64,") * len("data:image/png;base64,cid:a@b")
    said = check(parse(message.encode()))
    assert 0 <= len(content.body) + files_bytes - said <= uris


def test_an_image_weighs_as_often_as_it_is_shown() -> None:
    """Before it is repeated: the check of this one must not make its 400 MB."""
    shown = text('<img src="cid:a@b">' * 400, "text/html")
    message = several("related", shown, file(bytes(750_000), "Content-ID: <a@b>", kind="image/png"))
    assert check(parse(message.encode())) > 400_000_000


# -- letters that cannot be had -------------------------------------------------------------------


@pytest.mark.parametrize(
    "subject",
    [
        "=?utf-8?q?Perch=E9?=",
        "=?utf-8?b?w?=",
        "=?x-none?q?Perch=E9?=",
        "=?utf-8?b?RGlmZmlkYSDDrA==?= =?utf-8?q?=C3?=",
    ],
)
def test_a_subject_that_cannot_be_read_is_refused(subject: str) -> None:
    raw = f"Subject: {subject}\r\n\r\nx".encode()
    with pytest.raises(Unreadable, match="the subject"):
        check(parse(raw))
    with pytest.raises(Unreadable, match="the subject"):
        convert(raw)


@pytest.mark.parametrize("subject", ["=?x-none?q?Perche?=", "100 =? 200?", "a =?b c?="])
def test_a_subject_without_doubtful_letters_is_not(subject: str) -> None:
    check(parse(f"Subject: {subject}\r\n\r\nx".encode()))
