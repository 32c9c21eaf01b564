"""What several commands read from and write to the command line."""

from __future__ import annotations

from pathlib import Path

from engine.errors import ConfigError


def parse_set(text: str) -> tuple[Path, float]:
    """FOLDER or FOLDER:SHARE; raises ConfigError when the share is no number."""
    folder, colon, share = text.rpartition(":")
    if not colon or "\\" in share or "/" in share:  # a drive's colon is no share's
        return Path(text), 1.0
    try:
        return Path(folder), float(share)
    except ValueError as error:
        raise ConfigError(f"A set is given as FOLDER or FOLDER:SHARE with a number as share, got {text!r}.") from error


def sizes_in(folder: Path) -> str:
    """The files of a folder with their sizes, for people."""
    return ", ".join(f"{path.name} {path.stat().st_size:,} bytes" for path in sorted(folder.iterdir()))
