"""The mark beside the store: what a copy of it cannot keep."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from bridge.store.base import StoreFailed
from bridge.store.mark import FILE_NAME, read_mark, write_mark

ONE, OTHER = "0" * 31 + "1", "f" * 32

posix_only = pytest.mark.skipif(os.name == "nt", reason="needs a time of change")


def test_there_is_none_at_first(tmp_path: Path) -> None:
    assert read_mark(tmp_path) is None


def test_what_was_written_is_read_and_untouched(tmp_path: Path) -> None:
    written = write_mark(tmp_path, ONE, 7)
    assert read_mark(tmp_path) == written
    assert (written.incarnation, written.dispatches, written.is_touched) == (ONE, 7, False)
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600


def test_it_stays_one_file_however_often_it_is_written(tmp_path: Path) -> None:
    marks = [write_mark(tmp_path, ONE, number) for number in range(3)]
    assert len({mark.inode for mark in marks}) == 1
    assert read_mark(tmp_path) == marks[-1]
    assert read_mark(tmp_path) != marks[0]


@posix_only
def test_a_renamed_folder_is_the_same(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    written = write_mark(tmp_path / "one", ONE, 7)
    (tmp_path / "one").rename(tmp_path / "two")
    assert read_mark(tmp_path / "two") == written


def copy_by(tool: str, source: Path, target: Path) -> None:
    """Copy a folder as a person would."""
    match tool:
        case "copytree":
            shutil.copytree(source, target)
        case "cp -a":
            subprocess.run(["cp", "-a", source, target], check=True)
        case "cp -a over it":
            target.mkdir()
            (target / FILE_NAME).write_bytes(b"old")
            subprocess.run(["cp", "-a", f"{source}/.", f"{target}/"], check=True)
        case "tar":
            target.mkdir()
            archive = source.with_suffix(".tar")
            subprocess.run(["tar", "-C", source, "-cf", archive, "."], check=True)
            subprocess.run(["tar", "-C", target, "-xpf", archive], check=True)
        case "rsync":
            if shutil.which("rsync") is None:
                pytest.skip("rsync is not installed")
            subprocess.run(["rsync", "-a", f"{source}/", f"{target}/"], check=True)


@posix_only
@pytest.mark.parametrize("tool", ["copytree", "cp -a", "cp -a over it", "tar", "rsync"])
def test_a_copy_is_told_by_its_time_of_change(tmp_path: Path, tool: str) -> None:
    source = tmp_path / "one"
    source.mkdir()
    written = write_mark(source, ONE, 7)
    os.utime(source / FILE_NAME, ns=(0, written.changed_ns - 10**9))  # written a second ago
    copy_by(tool, source, tmp_path / "two")
    copied = read_mark(tmp_path / "two")
    assert copied is not None
    assert (copied.incarnation, copied.dispatches, copied.is_touched) == (ONE, 7, True)


@posix_only
def test_a_plain_copy_is_another_file(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    written = write_mark(tmp_path / "one", ONE, 7)
    shutil.copyfile(tmp_path / "one" / FILE_NAME, tmp_path / "two" / FILE_NAME)
    copied = read_mark(tmp_path / "two")
    assert copied is not None
    assert not copied.is_touched
    assert copied.inode != written.inode


@pytest.mark.parametrize("content", [b"", b"x" * 200, b"\xff", ONE.encode() + b" 7\n"])
def test_an_unreadable_one_is_of_no_store(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    mark = read_mark(tmp_path)
    assert mark is not None
    assert (mark.incarnation, mark.dispatches) == ("", 0)
    assert write_mark(tmp_path, OTHER, 1).incarnation == OTHER


def test_a_medium_that_fails_is_a_failed_store(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).mkdir()
    with pytest.raises(StoreFailed, match=FILE_NAME):
        read_mark(tmp_path)
    with pytest.raises(StoreFailed, match=FILE_NAME):
        write_mark(tmp_path, ONE, 1)
