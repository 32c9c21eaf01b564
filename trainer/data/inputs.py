"""What there is to prepare: photographs and videos below folders or in lists, who they show and which split they belong to."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from engine.errors import InputError

PICTURES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".avif", ".bmp", ".tif", ".tiff"})
VIDEOS = frozenset({".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v", ".mpg", ".mpeg"})
PICTURES_PER_UNIT = 16
_VOXCELEB = re.compile(r"^id(\d{5})$")

Split = Literal["train", "test"]
People = Literal["file", "folder"]


@dataclass(frozen=True)
class Item:
    """One file: name, stable wherever the folder lies; person, the same number for pictures of one person."""

    path: str
    name: str
    person: int
    split: Split
    video: bool


@dataclass(frozen=True)
class Unit:
    """What one worker does at a time and what a restart repeats: a video, or some photographs."""

    key: str
    items: tuple[Item, ...]


def find_items(inputs: Sequence[Path], people: People = "file", lists: dict[Split, frozenset[str]] | None = None) -> list[Item]:
    """All photographs and videos of the inputs (folders, files, ``.txt`` lists of either), sorted by name, each once.

    With ``lists`` only what they name, in the split that names it; otherwise everything is "train". In VoxCeleb's layout
    (``id10001/<video>/…``) the person is the folder; else, by ``people``, every file or every folder is somebody else.
    Raises InputError when nothing is found.
    """
    found = {path: name for root in inputs for path, name in _files(root)}
    items = []
    for path, name in sorted(found.items(), key=lambda entry: (entry[1], str(entry[0]))):
        split = _split(name, lists)
        if split is not None:
            items.append(Item(str(path), name, _person(name, people), split, path.suffix.lower() in VIDEOS))
    if not items:
        given = ", ".join(str(path) for path in inputs)
        raise InputError(
            f"no photograph or video was found in {given}"
            + (" that the split lists name" if found else f": wanted files like {', '.join(sorted(PICTURES | VIDEOS)[:6])} …")
        )
    return items


def photographs_in(paths: Sequence[Path]) -> list[Path]:
    """The photographs of files and folders, in order. Raises InputError for a folder without any."""
    return [file for path in paths for file in ([path] if path.is_file() else _pictures_below(path))]


def _pictures_below(folder: Path) -> list[Path]:
    found = sorted(file for file in folder.rglob("*") if file.suffix.lower() in PICTURES) if folder.is_dir() else []
    if not found:
        raise InputError(f"{folder} holds no photographs. Wanted: a picture file, or a folder of them.")
    return found


def group(items: Sequence[Item]) -> list[Unit]:
    """Each video alone, photographs of one split by the dozen."""
    units = [Unit(_hash(item.name), (item,)) for item in items if item.video]
    pictures = [item for item in items if not item.video]
    for split in ("train", "test"):
        own = [item for item in pictures if item.split == split]
        for start in range(0, len(own), PICTURES_PER_UNIT):
            part = tuple(own[start : start + PICTURES_PER_UNIT])
            units.append(Unit(_hash("\n".join(item.name for item in part)), part))
    return sorted(units, key=lambda unit: unit.key)


def read_split_list(path: Path) -> frozenset[str]:
    """The names of a list, one a line (the first column of a CSV), without their suffixes. Raises InputError."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"the list {path} cannot be read ({error})") from error
    names = frozenset(_stem(line.split(",")[0].strip()) for line in lines if line.strip())
    if not names:
        raise InputError(f"the list {path} is empty: wanted one file name a line")
    return names


def _files(root: Path) -> Iterator[tuple[Path, str]]:
    if root.is_dir():
        base = root.resolve()
        for path in base.rglob("*"):
            if path.suffix.lower() in PICTURES | VIDEOS and path.is_file():
                yield path, f"{base.name}/{path.relative_to(base).as_posix()}"
    elif root.suffix.lower() == ".txt" and root.is_file():
        for line in root.read_text(encoding="utf-8").splitlines():
            if line.strip():
                path = (root.parent / line.strip()).resolve()
                yield path, "/".join(path.parts[-3:])
    elif root.exists():
        yield root.resolve(), "/".join(root.resolve().parts[-3:])
    else:
        raise InputError(f"{root} does not exist: wanted a folder, a photograph, a video or a .txt list of them")


def _person(name: str, people: People) -> int:
    for part in name.split("/")[:-1]:
        match = _VOXCELEB.match(part)
        if match:
            return int(match[1])
    clip = re.match(r"id(\d{5})#", name.rsplit("/", 1)[-1])  # the cut clips of the paper's lists: id10001#<video>#<from>#<to>
    if clip:
        return int(clip[1])
    return number(name if people == "file" else name.rsplit("/", 1)[0])


def _split(name: str, lists: dict[Split, frozenset[str]] | None) -> Split | None:
    """A list may name a file, its path from any folder down, or the video folder it lies in."""
    if lists is None:
        return "train"
    parts = _stem(name).split("/")
    ways = {"/".join(parts[start:end]) for start in range(len(parts)) for end in range(start + 1, len(parts) + 1)}
    ways |= {way.replace("/", "#") for way in ways}
    ways -= {part for part in parts[:-1] if not _VOXCELEB.match(part) and len(part) < 11}  # short folder names mean nothing
    for split, names in lists.items():
        if ways & names:
            return split
    return None


def _stem(name: str) -> str:
    path = name.replace("\\", "/")
    return path.rsplit(".", 1)[0] if "." + path.rsplit(".", 1)[-1].lower() in PICTURES | VIDEOS | {".txt"} else path


def number(name: str) -> int:
    """A number of 62 bits that stands for a name, above all numbers of VoxCeleb."""
    return int(hashlib.sha256(name.encode()).hexdigest()[:15], 16) + 100_000


def _hash(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:20]
