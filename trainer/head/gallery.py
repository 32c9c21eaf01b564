"""The pictures of ``docs/head.md``: what every number of the head does."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from engine.conventions import place, project
from engine.head.model import HeadModel
from engine.picture_file import write_picture
from engine.render import Renderer, create_renderer
from engine.render.render import render_head
from engine.values import EXPRESSION, EXPRESSION_NAMES, Coefficients, Floats, Picture

Tile = tuple[str, Picture]

_JPEG_QUALITY = 84
_BACKGROUND = (58, 62, 68)
_SUPERSAMPLING = 2
_LIGHT = (0.78, 0.18, 0.30, 0.10)  # constant, from above, from the viewer, from the side
_FACE = (0.0, 0.0, 0.0, 0.0, -0.03, -0.6)  # poses: the face alone, the whole head, the mouth, the eyes
_HEAD = (0.0, 0.0, 0.0, 0.0, -0.05, -4.4)
_MOUTH = (0.0, 0.0, 0.0, 0.0, 0.36, 6.0)
_EYES = (0.0, 0.0, 0.0, 0.0, -0.22, 4.2)


def write_gallery(head: HeadModel, folder: Path) -> None:
    """Writes seven sheets as JPEG."""
    folder.mkdir(parents=True, exist_ok=True)
    renderer = GalleryRenderer(head, 168)
    sheets: dict[str, tuple[Iterable[Tile], int]] = {
        "mean": (_mean(GalleryRenderer(head, 336)), 3),
        "identity": (_components(renderer, "identity", 10, _HEAD), 10),
        "texture": (_components(renderer, "texture", 10, _HEAD), 10),
        "people": (_people(renderer, 20), 10),
        "expressions": (_expressions(renderer), 9),
        "gaze": (_gaze(GalleryRenderer(head, 240)), 5),
        "mouth": (_mouth(GalleryRenderer(head, 320)), 4),
    }
    for name, (tiles, columns) in sheets.items():
        sheet = _sheet(list(tiles), columns)
        write_picture(folder / f"{name}.jpg", sheet, _JPEG_QUALITY)


class GalleryRenderer:
    """Takes pictures of one head, ``size`` pixels wide."""

    def __init__(self, head: HeadModel, size: int) -> None:
        self.head = head
        self.size = size
        self._renderer: Renderer = create_renderer("cpu", size * _SUPERSAMPLING)

    def take(self, z: Coefficients, landmarks: bool = False) -> Picture:
        """One smooth picture of z; with the tracker's points drawn on it if wanted."""
        picture, raster = render_head(self.head, z, self._renderer)
        picture[raster.triangle < 0] = _BACKGROUND
        if landmarks:
            points = project(place(self.head.landmarks(self.head.shape(z.identity, z.expression, z.gaze)), z.pose))
            for x, y in (points[:, :2] + 1) * self._renderer.size / 2:
                cv2.circle(picture, (int(x), int(y)), 2, (70, 255, 90), -1, cv2.LINE_AA)
        return cv2.resize(picture, (self.size, self.size), interpolation=cv2.INTER_AREA).astype(np.uint8)


def pose(z: Coefficients, values: tuple[float, ...], **angles_deg: float) -> Coefficients:
    """Sets z's pose, turned further by yaw or pitch, and a photographer's light; returns z."""
    z.pose[:] = values
    z.pose[0] += np.deg2rad(angles_deg.get("pitch", 0.0))
    z.pose[1] += np.deg2rad(angles_deg.get("yaw", 0.0))
    z.illumination.reshape(9, 3)[:4] = np.array(_LIGHT)[:, None]
    return z


def express(**strengths: float) -> Coefficients:
    """The mean head with named expressions; "mouthSmile" stands for both sides."""
    z = Coefficients.neutral()
    for name, strength in strengths.items():
        for full in (name, f"{name}Left", f"{name}Right"):
            if full in EXPRESSION_NAMES:
                z.expression[EXPRESSION_NAMES.index(full)] = strength
    return z


def _mean(renderer: GalleryRenderer) -> list[Tile]:
    tiles = [(f"yaw {yaw} deg", renderer.take(pose(express(), _HEAD, yaw=yaw))) for yaw in (-30, 0, 30)]
    tiles += [(f"yaw {yaw} deg", renderer.take(pose(express(), _HEAD, yaw=yaw))) for yaw in (-80, 60)]
    return [*tiles, ("478 landmark points", renderer.take(pose(express(), _FACE), landmarks=True))]


def _components(renderer: GalleryRenderer, kind: str, count: int, where: tuple[float, ...]) -> list[Tile]:
    """A row at +2 and a row at −2 standard deviations."""
    tiles = []
    for amount in (2.0, -2.0):
        for index in range(count):
            z = pose(express(), where)
            vector: Floats = getattr(z, kind)
            vector[index] = amount
            tiles.append((f"{kind} {index}: {amount:+.0f}", renderer.take(z)))
    return tiles


def _people(renderer: GalleryRenderer, count: int) -> list[Tile]:
    rng = np.random.default_rng(3)
    tiles = []
    for _ in range(count):
        z = pose(express(), _HEAD, yaw=float(rng.uniform(-25, 25)))
        z.identity[:] = rng.normal(size=80)
        z.texture[:] = rng.normal(size=80)
        tiles.append(("", renderer.take(z)))
    return tiles


def _expressions(renderer: GalleryRenderer) -> list[Tile]:
    """Every named expression at 1, then the further components at +2 standard deviations."""
    tiles = []
    for index in range(EXPRESSION):
        z = pose(express(), _FACE)
        named = index < len(EXPRESSION_NAMES)
        z.expression[index] = 1.0 if named else 2.0
        tiles.append((EXPRESSION_NAMES[index] if named else f"further {index}: +2", renderer.take(z)))
    return tiles


def _gaze(renderer: GalleryRenderer) -> list[Tile]:
    tiles = []
    for y in (0.25, 0.0, -0.25):
        for x in (-0.45, -0.2, 0.0, 0.2, 0.45):
            z = pose(express(eyeLookUp=max(y, 0) * 2, eyeLookDown=max(-y, 0) * 2), _EYES)
            z.gaze[:] = (x, y, x, y)
            tiles.append((f"gaze {x:+.2f} {y:+.2f}", renderer.take(z)))
    return tiles


def _mouth(renderer: GalleryRenderer) -> list[Tile]:
    states: dict[str, Coefficients] = {
        "rest": express(),
        "jawOpen 0.3": express(jawOpen=0.3),
        "jawOpen 1": express(jawOpen=1),
        "smile": express(mouthSmile=0.9, mouthUpperUp=0.4, mouthLowerDown=0.3, jawOpen=0.06),
        "laugh": express(mouthSmile=0.7, mouthUpperUp=0.6, mouthLowerDown=0.8, jawOpen=0.45),
        "lower teeth": express(mouthLowerDown=1, jawOpen=0.25),
        "tongueOut": express(jawOpen=0.4, tongueOut=1),
        "mouthFunnel": express(mouthFunnel=0.8, jawOpen=0.2),
    }
    return [(name, renderer.take(pose(z, _MOUTH))) for name, z in states.items()]


def _sheet(tiles: list[Tile], columns: int) -> Picture:
    """The tiles row by row, each with its name below, the last row filled up with background."""
    size = tiles[0][1].shape[0]
    blank = np.full((size, size, 3), _BACKGROUND, np.uint8)
    labelled = [_label(name, picture) for name, picture in tiles]
    labelled += [_label("", blank)] * (-len(tiles) % columns)
    rows = [np.concatenate(labelled[start : start + columns], 1) for start in range(0, len(labelled), columns)]
    return np.concatenate(rows, 0)


def _label(name: str, picture: Picture) -> Picture:
    strip = np.full((18, picture.shape[1], 3), _BACKGROUND, np.uint8)
    cv2.putText(strip, name, (3, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.36, (225, 225, 225), 1, cv2.LINE_AA)
    return np.concatenate([picture, strip], 0)
