"""``data_dir`` of another owner, mode or file system: a sentence with the next step."""

from __future__ import annotations

import errno
import getpass
import os
import subprocess
from pathlib import Path

import pytest

from bridge.app.folder import DataFault, belong_to_folder, cannot_use, close_to_others, make_folder
from bridge.app.lock import DataLock

pytestmark = pytest.mark.skipif(os.name == "nt", reason="owners and modes of Unix")


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702])
def test_others_may_not_change_it(tmp_path: Path, mode: int) -> None:
    tmp_path.chmod(mode)
    with pytest.raises(DataFault, match=rf"mode {mode:o}.*chmod 700 {tmp_path}"):
        DataLock(tmp_path)
    tmp_path.chmod(0o750)
    DataLock(tmp_path).release()


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.EROFS, "can only be read.*mount it writable"),
        (errno.EACCES, "may not be used by .* belongs to .*chown"),
        (errno.ENOSPC, "disk of .* is full"),
        (errno.EIO, "cannot be used: Input/output error"),
    ],
)
def test_what_an_error_means(tmp_path: Path, number: int, words: str) -> None:
    error = OSError(number, os.strerror(number), str(tmp_path / "lock"))
    with pytest.raises(DataFault, match=words):
        raise cannot_use(tmp_path, error)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataFault, match="file"):
        make_folder(tmp_path / "file" / "data")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="gives files away as root")
def test_what_root_makes_in_anothers_folder_is_the_owners(tmp_path: Path) -> None:
    os.chown(tmp_path, 12345, 12345)
    lock = DataLock(tmp_path)
    (tmp_path / "made").touch()
    lock.release()
    assert {path.stat().st_uid for path in tmp_path.iterdir()} == {12345}
    (tmp_path / "link").symlink_to("/etc/hostname")
    belong_to_folder(tmp_path)
    assert Path("/etc/hostname").stat().st_uid == 0


def test_on_windows_the_folder_is_closed_to_others(tmp_path: Path) -> None:
    ran: list[list[str]] = []

    def run(words: list[str], **_options: object) -> subprocess.CompletedProcess[bytes]:
        ran.append(words)
        return subprocess.CompletedProcess(words, 0)

    close_to_others(tmp_path, {}, run)
    (words,) = ran
    assert words[:4] == ["icacls", str(tmp_path), "/inheritance:r", "/grant:r"]
    assert [word for word in words if word.endswith(":(OI)(CI)F")][1:] == [
        "*S-1-5-18:(OI)(CI)F",
        "*S-1-5-32-544:(OI)(CI)F",
    ]

    def fails(words: list[str], **_options: object) -> subprocess.CompletedProcess[bytes]:
        raise subprocess.CalledProcessError(5, words)

    with pytest.raises(DataFault, match="cannot be closed to other users"):
        close_to_others(tmp_path, {}, fails)


def test_a_windows_service_of_the_systems_is_no_user_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[list[str]] = []

    def run(words: list[str], **_options: object) -> subprocess.CompletedProcess[bytes]:
        ran.append(words)
        return subprocess.CompletedProcess(words, 0)

    monkeypatch.setattr(getpass, "getuser", lambda: "UFFICIO1$")
    close_to_others(tmp_path, {"COMPUTERNAME": "Ufficio1"}, run)
    (words,) = ran
    assert [word for word in words if word.endswith(":(OI)(CI)F")] == [
        "*S-1-5-18:(OI)(CI)F",
        "*S-1-5-32-544:(OI)(CI)F",
    ]
