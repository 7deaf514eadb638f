"""The documentation as a site: every page is in it, and every link leads somewhere."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_docs import COMMANDS

TOP = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("mkdocs", reason="of the extra `docs`")
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder],
        cwd=TOP,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.slow
def test_the_site_has_every_document_and_every_command(built: Path) -> None:
    for path in (TOP / "docs").rglob("*.md"):
        name = path.relative_to(TOP / "docs").with_suffix("")
        assert name.parts[0] == "changes" or (built / name / "index.html").is_file(), name
    commands = (built / "commands" / "index.html").read_text(encoding="utf-8")
    assert [name for name in COMMANDS if f">{name}<" not in commands] == []


@pytest.mark.slow
def test_the_site_needs_nothing_from_elsewhere(built: Path) -> None:
    for path in built.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert '<script src="http' not in text, path
        assert '<link rel="stylesheet" href="http' not in text, path
