"""A secret's file: whole or not at all, for its owner only."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from bridge.operations.secretfile import SecretFile


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o777])
def test_it_is_its_owners_only_whatever_the_mask(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        with SecretFile(tmp_path / "token") as file:
            file.write("segreto")
    finally:
        os.umask(before)
    assert (tmp_path / "token").read_text() == "segreto\n"
    assert mode(tmp_path / "token") == 0o600
    assert list(tmp_path.iterdir()) == [tmp_path / "token"]


def test_an_older_one_is_replaced_and_narrowed(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("old")
    path.chmod(0o644)
    with SecretFile(path) as file:
        assert path.read_text() == "old"
        file.write("new")
    assert (path.read_text(), mode(path)) == ("new\n", 0o600)


def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with SecretFile(tmp_path / "link") as file:
        file.write("new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new\n"


def test_without_a_secret_nothing_changes(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("old")
    with pytest.raises(RuntimeError), SecretFile(path):
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_that_cannot_be_written_is_found_before_there_is_a_secret(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        SecretFile(tmp_path / "nowhere" / "token")
    with pytest.raises(OSError, match="is a folder"):
        SecretFile(tmp_path)
