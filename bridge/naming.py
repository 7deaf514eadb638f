"""What log lines call an account: its address, where the code has its number in the store.

One table for the process: the store's accounts have one number each for ever, and a process works
on one store.
"""

from __future__ import annotations

_ADDRESSES: dict[int, str] = {}


def name_account(id: int, address: str) -> None:
    """Remember an account's address."""
    _ADDRESSES[id] = address


def address_of(id: int) -> str | None:
    """Return an account's address, None if it was not told."""
    return _ADDRESSES.get(id)


def is_own(address: str) -> bool:
    """Tell whether an address is an account's."""
    return address.casefold() in map(str.casefold, _ADDRESSES.values())
