"""What the site has besides ``docs``: the documents at the top, and the page of all commands.

Links between the two are written as they lead in the repository; here both are in one folder.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

TOP = Path(__file__).parent.parent
AT_THE_TOP = {
    "README.md": "README.md",
    "README.it.md": "README.it.md",
    "CHANGELOG.md": "CHANGELOG.md",
    "CONTRIBUTING.md": "CONTRIBUTING.md",
    "SECURITY.md": "VULNERABILITIES.md",  # docs has one of that name
}
"""Where each is in the site."""

_LINK = re.compile(r"(\]\()([^)#:\s]+)((?:#[^)]*)?\))")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what stands elsewhere."""
    sys.path.insert(0, str(TOP))
    from tests.reference import commands

    for name, here in AT_THE_TOP.items():
        text = (TOP / name).read_text(encoding="utf-8")
        files.append(File.generated(config, here, content=text))
    files.append(File.generated(config, "commands.md", content=commands()))
    return files


def on_page_markdown(markdown: str, page: Page, **_more: Any) -> str:
    """Let links lead to where things are in the site."""
    here = page.file.src_uri
    origin = {site: top for top, site in AT_THE_TOP.items()}.get(here)
    folder = TOP if origin else (TOP / "docs" / here).parent
    up = "../" * here.count("/")

    def led(found: re.Match[str]) -> str:
        target = Path(folder, found[2]).resolve()
        if target.is_relative_to(TOP / "docs") and here.count("/") == 0:
            return f"{found[1]}{target.relative_to(TOP / 'docs').as_posix()}{found[3]}"
        name = target.name if target.parent == TOP else None
        if name in AT_THE_TOP:
            return f"{found[1]}{up}{AT_THE_TOP[name]}{found[3]}"
        return found[0]

    return _LINK.sub(led, markdown)
