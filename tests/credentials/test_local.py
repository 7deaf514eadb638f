from __future__ import annotations

import re

import pytest

from bridge.credentials.local import (
    LETTERS,
    Hashed,
    decoy,
    hash_password,
    is_hash,
    new_password,
    read_hash,
)


def test_a_new_password_has_a_hundred_bits_in_letters_that_nobody_mixes_up() -> None:
    assert len(set(LETTERS)) == 2**5
    made = {new_password() for _ in range(50)}
    assert len(made) == 50
    assert all(re.fullmatch(rf"[{LETTERS}]{{4}}(-[{LETTERS}]{{4}}){{4}}", one) for one in made)


def test_what_is_kept_tells_the_password_and_does_not_hold_it() -> None:
    line = hash_password("hush-hush")
    hashed = read_hash(line)
    assert is_hash(line)
    assert "hush" not in line + repr(hashed)
    assert hashed.fits("hush-hush")
    assert not hashed.fits("hush")
    assert hash_password("hush-hush") != line  # its own salt


def test_it_is_scrypt_as_others_know_it() -> None:
    """RFC 7914 §12, N = 1024, r = 8, p = 16."""
    digest = (
        "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
        "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640"
    )
    assert Hashed(10, 8, 16, b"NaCl", bytes.fromhex(digest)).fits("password")


SALT, HASH = "A" * 22, "A" * 43


@pytest.mark.parametrize(
    "line",
    [
        "$scrypt$",
        f"$scrypt$ln=15,r=8,p=1${SALT}",
        f"$scrypt$ln=15,r=8,p=1$hush${HASH}",
        f"$scrypt$ln=15,r=8,p=1${SALT}${HASH} ",
        f"$scrypt$ln=0,r=8,p=1${SALT}${HASH}",
        f"$scrypt$ln=15,r=0,p=1${SALT}${HASH}",
        f"$scrypt$ln=15,r=8,p=99${SALT}${HASH}",
        f"$scrypt$ln=20,r=8,p=1${SALT}${HASH}",
        f"$scrypt$ln=99,r=99,p=1${SALT}${HASH}",
    ],
)
def test_lines_that_are_no_hash_or_cost_too_much(line: str) -> None:
    with pytest.raises(ValueError, match=r"is no scrypt hash|would take more than 128 MiB"):
        read_hash(line)


def test_a_decoy_costs_what_a_hash_costs() -> None:
    assert decoy().memory_bytes == read_hash(hash_password("x")).memory_bytes
