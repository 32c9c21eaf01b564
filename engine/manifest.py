"""Manifests: what an exported network's folder says of its files. Written and checked here, for every kind of network."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from engine.errors import AssetError
from engine.files import write_text
from engine.head.asset import OPEN_HEAD

MANIFEST = "manifest.json"
ASSETS = Path(__file__).parent / "assets"


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_manifest(folder: Path, format_number: int, content: Mapping[str, Any]) -> None:
    """Writes the manifest of a folder; raises InputError. ``format_number`` is that of the kind of network."""
    manifest = {"format": format_number, "licence": "MIT", **content}
    write_text(folder / MANIFEST, json.dumps(manifest, indent=1, ensure_ascii=False) + "\n")


@contextmanager
def read_manifest(
    folder: Path, kind: str, format_number: int, remedy: str = "Install the program again or export it anew."
) -> Iterator[dict[str, Any]]:
    """Yields the content of a manifest. What the body then misses or finds senseless in it (KeyError, TypeError, ValueError)
    and files that are missing (OSError) become an AssetError.

    ``kind`` is the network's, "generator" or "regressor"; ``remedy`` what to do when the folder is not complete.
    """
    try:
        content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if content["format"] != format_number:
            raise AssetError(
                f"The {kind} in {folder} has format {content['format']}, this program reads {format_number}: update the "
                f"program, or export the {kind} anew."
            )
        yield content
    except OSError as error:
        raise AssetError(f"The {kind} in {folder} is not complete, {error}. {remedy}") from error
    except (KeyError, TypeError, ValueError) as error:
        raise AssetError(f"{folder / MANIFEST} is not a {kind}'s manifest: {error!r}. Export it anew.") from error


def require_graph(path: Path, sha256: str) -> None:
    """Raises AssetError unless the graph is the one that the manifest states."""
    if file_sha256(path) != sha256:
        raise AssetError(f"{path} is damaged: install the program again or export it anew.")


def require_head(folder: Path, kind: str, sha256: str) -> None:
    """Raises AssetError unless a network was trained with the head model that is installed."""
    if file_sha256(OPEN_HEAD) != sha256:
        raise AssetError(
            f"{OPEN_HEAD} is not the head model that the {kind} in {folder} was trained with: train or export it anew."
        )
