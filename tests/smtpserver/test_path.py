from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.smtpserver.path import Path, PathFault, is_address, parse_path


@pytest.mark.parametrize(
    ("argument", "path"),
    [
        ("FROM:<a@b.it>", Path("a@b.it")),
        ("from:<a@b.it>", Path("a@b.it")),
        ("FROM: <a@b.it>", Path("a@b.it")),
        ("FROM:a@b.it", Path("a@b.it")),
        ("FROM:<>", Path("")),
        ("FROM:<> SIZE=1", Path("", {"SIZE": "1"})),
        ("FROM:<a@b.it> size=1  BODY=8BITMIME", Path("a@b.it", {"SIZE": "1", "BODY": "8BITMIME"})),
        ("FROM:<a@b.it> SMTPUTF8", Path("a@b.it", {"SMTPUTF8": ""})),
        ("FROM:<@x.it,@y.it:a@b.it>", Path("a@b.it")),
        ('FROM:<"a b"@b.it>', Path('"a b"@b.it')),
        ('FROM:<"a>b"@b.it>', Path('"a>b"@b.it')),
        ("FROM:<a@[192.0.2.1]>", Path("a@[192.0.2.1]")),
        ("FROM:<è@à.it>", Path("è@à.it")),
    ],
)
def test_paths(argument: str, path: Path) -> None:
    assert parse_path(argument, "FROM") == path


@pytest.mark.parametrize(
    ("argument", "status"),
    [
        (None, "5.5.4"),
        ("", "5.5.4"),
        ("FROM", "5.5.4"),
        ("FROM:", "5.5.4"),
        ("TO:<a@b>", "5.5.4"),
        ("FROM:<a@b", "5.5.4"),
        ("FROM:<a@b>x", "5.5.4"),
        ("FROM:<a b@c>", "5.5.4"),
        ("FROM:<a>", "5.1.3"),
        ("FROM:<@b>", "5.1.3"),
        ("FROM:<a@>", "5.1.3"),
        ("FROM:<a@b@c>", "5.1.3"),
        ("FROM:<a@b..c>", "5.1.3"),
        ("FROM:<a,b@c>", "5.1.3"),
        (f"FROM:<{'x' * 65}@c>", "5.1.3"),
        (f"FROM:<a@{'x' * 254}>", "5.1.3"),
    ],
)
def test_what_is_no_path(argument: str | None, status: str) -> None:
    with pytest.raises(PathFault) as fault:
        parse_path(argument, "FROM")
    assert fault.value.status == status


@given(st.text(max_size=60))
def test_any_argument_is_read_or_refused(text: str) -> None:
    for argument in (text, f"TO:{text}", f"TO:<{text}>"):
        try:
            path = parse_path(argument, "TO")
        except PathFault:
            continue
        assert path.address == "" or is_address(path.address)


@given(st.from_regex(r"[a-z.]{1,20}@[a-z]{1,10}\.[a-z]{2,5}", fullmatch=True))
def test_an_address_comes_back(address: str) -> None:
    assert parse_path(f"TO:<{address}>", "TO").address == address
