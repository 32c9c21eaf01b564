"""The preview page's address: new at each start, or kept in a file of the user's, for programs that remember it (OBS)."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from engine.files import write_private

TOKEN_BYTES = 16
KEPT = re.compile(r"([0-9]{1,5}) ([\w-]{20,})\n")


@dataclass(frozen=True)
class PageAddress:
    """Where the page is: the TCP ``port`` on 127.0.0.1 and the secret ``token`` in its path. Port 0 = any that is free."""

    port: int
    token: str

    def __str__(self) -> str:
        return f"http://127.0.0.1:{self.port}/{self.token}/"


def new_address() -> PageAddress:
    """An address that nobody knows."""
    return PageAddress(0, secrets.token_urlsafe(TOKEN_BYTES))


def read_address(path: Path) -> PageAddress:
    """The address that was kept; a new one where there is none."""
    try:
        kept = KEPT.fullmatch(path.read_text(encoding="ascii"))
    except (OSError, UnicodeDecodeError):
        kept = None
    return PageAddress(int(kept[1]), kept[2]) if kept and int(kept[1]) < 2**16 else new_address()


def keep_address(path: Path, address: PageAddress) -> None:
    """Writes the address for the next start, for this user's eyes only. Raises InputError."""
    write_private(path, f"{address.port} {address.token}\n")
