"""The pictures of Thunderbird in docs: ``python -m tests.peers.picture docs/pictures``.

By hand, where Thunderbird and Xvfb are installed: a real Thunderbird on a screen that nobody sees,
set up against the demo from what its page answers, with the tags of docs/clients.md.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.peers.demo import Demo, running_demo
from tests.peers.test_thunderbird import tags
from tests.peers.thunderbird import Marionette, thunderbird

SCREEN = ":87"
WIDTH, HEIGHT = 1180, 760
SETTLES_S = 12.0

SET_UP = """
const [email, password, done] = arguments;
const from = name => ChromeUtils.importESModule(`resource:///modules/${name}.sys.mjs`);
(async () => {
  const { FetchConfig } = from("accountcreation/FetchConfig");
  const { AccountConfig } = from("accountcreation/AccountConfig");
  const { ConfigVerifier } = from("accountcreation/ConfigVerifier");
  const { CreateInBackend } = from("accountcreation/CreateInBackend");
  const { signal } = new AbortController();
  const found = await FetchConfig.fromDB(email.split("@")[1], signal);
  AccountConfig.replaceVariables(found, "Azienda", email, password);
  const verified = await new ConfigVerifier(null, signal).verifyConfig(found);
  await CreateInBackend.createAccountInBackend(verified);
  return "ready";
})().then(done, error => done(String(error?.message ?? error)));
"""
SHOW = """
const [name, subject, done] = arguments;
const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const server = MailServices.accounts.accounts.map(one => one.incomingServer)
  .find(one => one.type == "imap");
const folder = server.rootFolder.subFolders
  .find(one => one.name.toLowerCase() == name.toLowerCase());
if (!folder) { server.performExpand(null); done("no folder yet"); }
else {
  const window = Services.wm.getMostRecentWindow("mail:3pane");
  window.resizeTo(WIDTH, HEIGHT);
  const pane = window.document.getElementById("tabmail").currentAbout3Pane;
  pane.displayFolder(folder.URI);
  const choose = () => {
    const view = pane.gDBView;
    for (let row = 0; view && row < view.rowCount; row++) {
      if (view.getMsgHdrAt(row).mime2DecodedSubject.startsWith(subject)) {
        pane.threadTree.selectedIndex = row;
        return "shown";
      }
    }
    return "nothing yet";
  };
  window.setTimeout(() => {
    try { done(choose()); } catch (error) { done(String(error)); }
  }, 4000);
}
""".replace("WIDTH", str(WIDTH)).replace("HEIGHT", str(HEIGHT))


@contextmanager
def screen() -> Iterator[None]:
    """Let there be a screen."""
    size = f"{WIDTH}x{HEIGHT}x24"
    with subprocess.Popen(["Xvfb", SCREEN, "-screen", "0", size, "-nolisten", "tcp"]) as server:
        os.environ |= {"DISPLAY": SCREEN, "LANG": "C.UTF-8"}
        try:
            time.sleep(1)
            yield
        finally:
            server.terminate()


def insist(program: Marionette, script: str, wanted: str, *arguments: object) -> None:
    """Run a script until it says what is wanted."""
    for _ in range(20):
        said: Any = program.run(script, *arguments)
        if said == wanted:
            return
        time.sleep(1)
    raise RuntimeError(f"Thunderbird: {said}")


def take(program: Marionette, path: Path) -> None:
    """Write what Thunderbird's window shows, with few colours: a small file."""
    time.sleep(SETTLES_S)
    shot = b64decode(program.do("WebDriver:TakeScreenshot", {"full": True, "hash": False})["value"])
    subprocess.run(
        ["convert", "png:-", "+dither", "-colors", "200", "-strip", f"png8:{path}"],
        input=shot,
        check=True,
    )


def pictures(demo: Demo, folder: Path, places: Path) -> None:
    """Set Thunderbird up and take both pictures."""
    page = demo.web_url.rstrip("/")
    preferences = tags() | {
        "mailnews.auto_config_url": f"{page}/mail/config-v1.1.xml?emailaddress=x@",
        "mail.shell.checkDefaultClient": False,
        "mail.rights.version": 1,
        "datareporting.policy.dataSubmissionPolicyBypassNotification": True,
        "mailnews.default_view_flags": 0,  # no threads: each receipt has its line
        "mailnews.default_sort_order": 2,
    }
    with thunderbird(folder, preferences, headless=False) as program:
        insist(program, SET_UP, "ready", demo.address, demo.password)
        for name, subject in (("INBOX", "CONSEGNA"), ("Sent", "Disdetta")):
            insist(program, SHOW, "shown", name, subject)
            take(program, places / f"thunderbird-{name.lower()}.png")


if __name__ == "__main__":
    with (
        tempfile.TemporaryDirectory() as work,
        screen(),
        running_demo(Path(work), "--tour") as demo,
    ):
        pictures(demo, Path(work), Path(sys.argv[1]))
