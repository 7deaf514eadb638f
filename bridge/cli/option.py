"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="The configuration; else $PEC_BRIDGE_CONFIG, "
        "$XDG_CONFIG_HOME/pec-bridge/config.toml, /etc/pec-bridge/config.toml.",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Account = Annotated[
    str | None,
    typer.Option("--account", metavar="ADDRESS", help="Only this account.", show_default=False),
]
Port = Annotated[int, typer.Option(min=0, max=65_535)]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Log every step.")]
