"""Settings: a TOML file to frozen values, or one error that lists every fault in it."""

from bridge.config.fault import ConfigError, ConfigFault, Rest
from bridge.config.read import ConfigFile, find_file, load, parse
from bridge.config.values import (
    Account,
    Api,
    Archive,
    Config,
    Display,
    Imap,
    Prices,
    Receipts,
    SecretSource,
    Send,
    Smtp,
    Sync,
    Tls,
    Trusted,
    Web,
)
from bridge.net.listen import Listen

__all__ = [
    "Account",
    "Api",
    "Archive",
    "Config",
    "ConfigError",
    "ConfigFault",
    "ConfigFile",
    "Display",
    "Imap",
    "Listen",
    "Prices",
    "Receipts",
    "Rest",
    "SecretSource",
    "Send",
    "Smtp",
    "Sync",
    "Tls",
    "Trusted",
    "Web",
    "find_file",
    "load",
    "parse",
]
