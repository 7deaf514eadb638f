from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from bridge.cli.wholefile import WholeFile


def write(path: Path, content: bytes, *, overwrite: bool = False) -> None:
    with WholeFile(path, overwrite=overwrite) as file:
        file.stream.write(content)
        file.keep()


def test_a_file_is_there_whole_and_nobody_elses(tmp_path: Path) -> None:
    write(tmp_path / "a", b"ciao")
    assert (tmp_path / "a").read_bytes() == b"ciao"
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["a"]


def test_what_is_there_is_refused_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"prima")
    with pytest.raises(FileExistsError, match="--force"):
        WholeFile(tmp_path / "a")
    write(tmp_path / "a", b"dopo", overwrite=True)
    assert (tmp_path / "a").read_bytes() == b"dopo"


def test_what_came_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    with WholeFile(tmp_path / "a") as file:
        (tmp_path / "a").write_bytes(b"altro")
        with pytest.raises(FileExistsError):
            file.keep()
    assert (tmp_path / "a").read_bytes() == b"altro"
    assert os.listdir(tmp_path) == ["a"]


def test_a_dangling_link_is_something_too(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "nowhere")
    with pytest.raises(FileExistsError):
        WholeFile(tmp_path / "a")


def test_without_hard_links_it_is_renamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(*_: object) -> None:
        raise PermissionError(1, "no links here")

    monkeypatch.setattr(os, "link", link)
    write(tmp_path / "a", b"ciao")
    assert os.listdir(tmp_path) == ["a"]
    with WholeFile(tmp_path / "b") as file:
        (tmp_path / "b").write_bytes(b"altro")
        with pytest.raises(PermissionError):
            file.keep()
    assert (tmp_path / "b").read_bytes() == b"altro"


@pytest.mark.parametrize("overwrite", [False, True])
def test_what_fails_leaves_what_was(tmp_path: Path, overwrite: bool) -> None:
    if overwrite:
        (tmp_path / "a").write_bytes(b"prima")
    before = os.listdir(tmp_path)
    with WholeFile(tmp_path / "a", overwrite=overwrite) as file:
        file.stream.write(b"mezzo")
    assert os.listdir(tmp_path) == before


def test_a_folder_or_a_missing_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        WholeFile(tmp_path)
    with pytest.raises(FileNotFoundError):
        WholeFile(tmp_path / "missing" / "a")
