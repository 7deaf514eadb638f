"""The alert rules, the dashboard and the list of metrics name what there is."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.web.conftest import Site
from tests.web.test_metrics import told

DOCS = Path(__file__).parent.parent.parent / "docs"
RULES = DOCS / "monitoring" / "alerts.yml"
DASHBOARD = DOCS / "monitoring" / "dashboard.json"
NAME = re.compile(r"pec_bridge_\w+")


async def there_are(made: Site) -> set[str]:
    told(made)
    text = (await made.browser().get("/metrics")).text
    return set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE))


async def test_rules_and_dashboard_use_metrics_that_there_are(made: Site) -> None:
    known = await there_are(made)
    for path in (RULES, DASHBOARD):
        used = set(NAME.findall(path.read_text(encoding="utf-8")))
        assert used
        assert used <= known, path


async def test_every_metric_is_documented_and_no_other(made: Site) -> None:
    page = (DOCS / "page.md").read_text(encoding="utf-8")
    assert set(NAME.findall(page)) == await there_are(made)


def test_the_dashboard_is_json_with_panels() -> None:
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    assert len({one["id"] for one in panels}) == len(panels) > 5


@pytest.mark.peer
def test_promtool_accepts_the_rules() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed")
    done = subprocess.run(
        [promtool, "check", "rules", str(RULES)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
