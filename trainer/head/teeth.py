"""Teeth and gums: two arches of single teeth, set on the curve of MakeHuman's sheets of teeth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.head.parts import Part
from trainer.head.source import BaseMesh, Doubles, Integers
from trainer.head.surface import Follow, HeadPiece, affine, grid_triangles

# Adult crowns from the middle outwards, mm (Wheeler's Dental Anatomy, rounded): widths along the arch and heights.
_UPPER_WIDTHS_MM = (8.5, 6.5, 7.5, 7.0, 7.0, 10.0, 9.0)
_LOWER_WIDTHS_MM = (5.3, 5.7, 6.8, 7.0, 7.1, 11.0, 10.0)
_UPPER_HEIGHTS_MM = (10.5, 9.0, 10.0, 8.5, 8.5, 7.5, 7.0)
_LOWER_HEIGHTS_MM = (8.8, 9.3, 10.5, 8.5, 8.0, 7.5, 7.0)
_MM_PER_DM = 100.0
_ACROSS = np.array([-1.0, -0.75, 0.0, 0.75, 1.0])
_ALONG = np.array([0.0, 0.35, 0.7, 0.93, 1.0, 1.15, 2.0])  # gum → edge → gum behind


@dataclass(frozen=True)
class Arch:
    """Half an ellipse: x = width·sin t, z = back + depth·cos t, at the height y = edge + tilt·(z − front)."""

    width: float
    depth: float
    back: float
    edge: float
    tilt: float
    up: float  # +1 when the crowns point down (upper teeth), −1 for the lower ones: the direction edge → gum

    def at(self, t: Doubles) -> tuple[Doubles, Doubles]:
        """(K,) parameter, 0 in the middle, + left → (K, 3) points on the edge curve and (K, 3) outward unit normals."""
        z = self.back + self.depth * np.cos(t)
        y = self.edge + self.tilt * (z - self.back - self.depth)
        points = np.stack([self.width * np.sin(t), y, z], -1)
        normals = np.stack([np.sin(t) / self.width, np.zeros_like(t), np.cos(t) / self.depth], -1)
        return points, normals / np.linalg.norm(normals, axis=-1, keepdims=True)

    def parameters(self, lengths: Doubles) -> Doubles:
        """(K,) distances along the curve from the middle [dm] → (K,) parameters."""
        t = np.linspace(0, np.pi / 2, 2000)
        points, _ = self.at(t)
        travelled = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
        return np.asarray(np.sign(lengths) * np.interp(np.abs(lengths), travelled, t))


def arch(mesh: BaseMesh, mean: Doubles, part: Part) -> Arch:
    """The arch through one sheet of MakeHuman's teeth on the (N, 3) mean body; the lower one bites just behind the upper one."""
    upper = part == Part.UPPER_TEETH
    sheet = mean[mesh.group("helper-upper-teeth" if upper else "helper-lower-teeth")]
    back, front, half_width = sheet[:, 2].min(), sheet[:, 2].max(), sheet[:, 0].max()
    middle = sheet[np.abs(sheet[:, 0]) < 0.01]
    edge = middle[:, 1].min() if upper else middle[:, 1].max()
    set_back = -0.03 if upper else -0.005  # MakeHuman's sheets stand a centimetre behind the lips
    overbite = -0.005 if upper else 0.0
    return Arch(half_width - 0.005, front - back - set_back, back, edge + overbite, -0.1, 1.0 if upper else -1.0)


def teeth(mesh: BaseMesh, mean: Doubles, part: Part) -> HeadPiece:
    """One row of 14 teeth. ``place`` holds each vertex's (height, across)."""
    curve = arch(mesh, mean, part)
    upper = part == Part.UPPER_TEETH
    widths = np.array(_UPPER_WIDTHS_MM if upper else _LOWER_WIDTHS_MM) / _MM_PER_DM
    heights = np.array(_UPPER_HEIGHTS_MM if upper else _LOWER_HEIGHTS_MM) / _MM_PER_DM
    starts = np.concatenate([[0], np.cumsum(widths)[:-1]])
    crowns = []
    for side in (-1.0, 1.0):
        for index, (start, width, height) in enumerate(zip(starts, widths, heights, strict=True)):
            crowns.append(_tooth(curve, side * (start + width / 2), width, height, index))
    vertices = np.concatenate(crowns)
    one = grid_triangles(len(_ALONG), len(_ACROSS))
    one = one if upper else one[:, ::-1]
    triangles = np.concatenate([one + index * len(crowns[0]) for index in range(len(crowns))])
    place = np.stack(np.meshgrid(_ALONG, _ACROSS, indexing="ij"), -1).reshape(-1, 2)
    return HeadPiece(vertices, triangles, part, _follow(mesh, mean, part, vertices), np.tile(place, (len(crowns), 1)))


def gums(mesh: BaseMesh, mean: Doubles, part: Part) -> HeadPiece:
    """The scalloped band of gum over the necks of one row of teeth; ``place`` is 0 at its border with them, 1 at its root."""
    curve = arch(mesh, mean, part)
    upper = part == Part.UPPER_TEETH
    widths = np.array(_UPPER_WIDTHS_MM if upper else _LOWER_WIDTHS_MM) / _MM_PER_DM
    heights = np.array(_UPPER_HEIGHTS_MM if upper else _LOWER_HEIGHTS_MM) / _MM_PER_DM
    ends = np.cumsum(widths)
    lengths = np.sort(np.concatenate([-ends, ends, [0.0], -(ends - widths / 2), ends - widths / 2]))
    middle = np.isclose(np.abs(lengths)[:, None], ends - widths / 2).any(1)
    crown = np.interp(np.abs(lengths), ends - widths / 2, heights)
    border = crown - np.where(middle, 0.012, 0.035)

    points, normals = curve.at(curve.parameters(lengths))
    rows, place = [], []
    for step, (rise, out) in enumerate(((0.0, -0.002), (0.02, 0.012), (0.05, 0.008), (0.11, -0.05))):
        row = points + normals * out
        row[:, 1] += curve.up * (border + rise)
        rows.append(row)
        place.append(np.full((len(row), 2), step / 3))
    vertices = np.concatenate(rows)
    triangles = grid_triangles(len(rows), len(lengths))
    triangles = triangles[:, ::-1] if upper else triangles
    return HeadPiece(vertices, triangles, Part.MOUTH, _follow(mesh, mean, part, vertices), np.concatenate(place))


def _tooth(curve: Arch, centre: float, width: float, height: float, index: int) -> Doubles:
    """One crown: (len(_ALONG)·len(_ACROSS), 3) points, rows from the gum over the edge to the back, columns along the arch."""
    along, across = np.meshgrid(_ALONG, _ACROSS, indexing="ij")
    thickness = 0.035 if index < 3 else 0.06 + 0.01 * (index - 3)  # biting edge of incisors, table of molars
    rise = np.select([along <= 1, along <= 1.15], [1 - along, 0 * along], along - 1.15) * height
    corner = 0.06 if index != 2 else 0.22  # canines are pointed
    rise = rise + corner * height * np.abs(across) ** 3 * np.clip(along * 1.6 - 0.6, 0, 1) * (along <= 1.15)
    # slimmer at the neck, full at the contact point
    slim = 1 - 0.22 * np.clip(1 - along, 0, 1) ** 1.5 - 0.04 * np.clip(along - 0.9, 0, 0.25) / 0.25
    lengths = centre + across * width / 2 * slim
    depth = -0.020 * across**2 - 0.012 * np.clip(along - 0.35, 0, 0.65) ** 2 / 0.42
    depth = depth - np.select([along <= 0.93, along <= 1, along <= 1.15], [0 * along, 0.006, thickness], thickness * 1.4)
    points, normals = curve.at(curve.parameters(lengths.ravel()))
    points = points + normals * depth.reshape(-1, 1)
    points[:, 1] += curve.up * rise.ravel()
    return np.asarray(points)


def _follow(mesh: BaseMesh, mean: Doubles, part: Part, vertices: Doubles) -> Follow:
    anchors: Integers = mesh.group("helper-upper-teeth" if part == Part.UPPER_TEETH else "helper-lower-teeth")
    return affine(mean[anchors], anchors, vertices)
