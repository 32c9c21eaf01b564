"""The mesh of the open head: skin and tongue from MakeHuman's body, eyeballs, teeth and gums of our own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.head.parts import Part
from trainer.head.eyes import equator, eyeball
from trainer.head.source import BaseMesh, Doubles, Integers, Wheel
from trainer.head.surface import HeadPiece, same, triangulate
from trainer.head.teeth import gums, teeth

# Bones of MakeHuman's rig that do not belong to the skull or the jaw.
_BONES_BELOW = (
    "neck", "spine", "clavicle", "shoulder", "upperarm", "breast", "pelvis", "upperleg", "root",
    "lowerleg", "foot", "toe", "lowerarm", "wrist", "metacarpal", "finger",
)  # fmt: skip
_SKULL_EDGE = 0.1  # a vertex that hangs less than this on them moves with the skull
# Where the head ends: a plane across the base of the neck, in head coordinates: y = height + slope · z [dm].
_NECK_HEIGHT_DM, _NECK_SLOPE = -0.98, -0.32


@dataclass(frozen=True)
class Assembly:
    """The head's mesh on the mean shape, before any component.

    pieces       its pieces, in the order of their vertices
    triangles    (T, 3); part (T,) uint8
    skin         how the skin was cut from the body; its vertices come first
    follow       (V,) 0…1 how far each vertex moves with the skull
    eye_centres  (2, S) the vertices whose mean is the centre of the left and of the right eyeball
    """

    pieces: tuple[HeadPiece, ...]
    triangles: Integers
    part: NDArray[np.uint8]
    skin: CutMesh
    follow: Doubles
    eye_centres: Integers

    def transfer(self, displacement: Doubles) -> Doubles:
        """(N, 3) displacement of MakeHuman's vertices → (V, 3) displacement of the head's."""
        return np.concatenate([piece.follow(displacement) for piece in self.pieces])

    def vertices(self) -> Doubles:
        """(V, 3) the mean head, in MakeHuman's coordinates."""
        return np.concatenate([piece.vertices for piece in self.pieces])

    def vertices_of(self, *parts: Part) -> Integers:
        """The sorted vertices that triangles of these parts use."""
        return np.asarray(np.unique(self.triangles[np.isin(self.part, parts)]))


def assemble(wheel: Wheel, mean: Doubles) -> Assembly:
    """The head on the (N, 3) mean body."""
    mesh = wheel.mesh
    skin = cut_mesh(_head_triangles(mesh, mean), mean[:, 1] - _NECK_HEIGHT_DM - _NECK_SLOPE * mean[:, 2])
    eyes = [eyeball(mesh, mean, part) for part in (Part.EYE_LEFT, Part.EYE_RIGHT)]
    rows = [make(mesh, mean, part) for part in (Part.UPPER_TEETH, Part.LOWER_TEETH) for make in (teeth, gums)]
    surface = HeadPiece(skin.mix(mean), skin.triangles, Part.SKIN, skin.mix, np.zeros((len(skin.first), 2)))
    pieces = (surface, *eyes, *rows, _tongue(mesh, mean))

    starts = np.cumsum([0] + [len(piece.vertices) for piece in pieces])
    triangles = np.concatenate([piece.triangles + start for piece, start in zip(pieces, starts, strict=False)])
    part = np.concatenate([np.full(len(piece.triangles), piece.part, np.uint8) for piece in pieces])
    inside = skin.mix(wheel.region("inside-mouth"))[skin.triangles].mean(1) > 0.5
    part[: len(inside)][inside] = Part.MOUTH
    follow = np.ones(starts[-1])
    follow[: len(skin.first)] = _follow(skin, wheel)
    return Assembly(pieces, triangles, part, skin, follow, np.stack([equator(starts[1]), equator(starts[2])]))


def _head_triangles(mesh: BaseMesh, mean: Doubles) -> Integers:
    """The body's triangles above the shoulders, without the sockets behind the eyeballs, which nothing ever shows."""
    quads = mesh.quads[mesh.groups == "body"]
    keep = (mean[quads][:, :, 1].max(1) > 1.5 * _NECK_HEIGHT_DM) & (np.abs(mean[quads][:, :, 0]).max(1) < 1.2)
    for name in ("helper-l-eye", "helper-r-eye"):
        ball = mean[mesh.group(name)]
        centre, radius = (ball.min(0) + ball.max(0)) / 2, np.ptp(ball[:, 0]) / 2
        away = mean - centre
        socket = (np.linalg.norm(away, axis=1) < 1.2 * radius) & (away[:, 2] < 0.35 * radius)
        keep &= ~socket[quads].all(1)
    return triangulate(quads[keep])


def _follow(skin: CutMesh, wheel: Wheel) -> Doubles:
    """(K,) share of the skull's motion: 1 where the rig hangs a vertex on skull and jaw, 0 at the cut, smooth between."""
    weights = wheel.rig_weights()
    total = np.maximum(sum(weights.values()), 1e-9)
    below = sum(weight for bone, weight in weights.items() if bone.startswith(_BONES_BELOW))
    share = np.where(skin.mix(below / total) < _SKULL_EDGE, 1.0, 0.5)
    share[skin.border] = 0
    return _harmonic(skin.triangles, share, np.flatnonzero(share == 0.5))


def _harmonic(triangles: Integers, values: Doubles, free: Integers) -> Doubles:
    """(K,) values, those of the ``free`` vertices set to the mean of their neighbours, and eased at both ends."""
    count = len(values)
    joined = np.zeros((count, count), bool)
    for a, b in ((0, 1), (1, 2), (2, 0)):
        joined[triangles[:, a], triangles[:, b]] = joined[triangles[:, b], triangles[:, a]] = True
    near = joined[free].astype(float)
    system = np.diag(near.sum(1)) - near[:, free]
    fixed = values.copy()
    fixed[free] = 0
    solved = values.copy()
    solved[free] = np.linalg.solve(system, near @ fixed)
    eased: Doubles = solved * solved * (3 - 2 * solved)
    return eased


def _tongue(mesh: BaseMesh, mean: Doubles) -> HeadPiece:
    quads = mesh.quads[mesh.groups == "helper-tongue"]
    vertices, local = np.unique(quads, return_inverse=True)
    return HeadPiece(mean[vertices], triangulate(local.reshape(-1, 4)), Part.TONGUE, same(vertices), np.zeros((len(vertices), 2)))


@dataclass(frozen=True)
class CutMesh:
    """What is left of a mesh: (T, 3) triangles over K vertices, vertex k = share·first + (1 − share)·second of the old ones.

    border (B,) are the new vertices on the line.
    """

    triangles: Integers
    first: Integers
    second: Integers
    share: Doubles
    border: Integers

    def mix(self, values: Doubles) -> Doubles:
        """(N, C) values at the old vertices → (K, C) at the new ones."""
        share = self.share.reshape(-1, *[1] * (values.ndim - 1))
        return np.asarray(share * values[self.first] + (1 - share) * values[self.second])


def cut_mesh(triangles: Integers, side: Doubles) -> CutMesh:
    """(T, 3) triangles over N vertices, (N,) ``side``: positive is kept, and the line runs where it is 0 along the edges."""
    edges: dict[tuple[int, int], int] = {}
    kept: list[list[int]] = []
    for triangle in triangles:
        polygon = _kept_polygon(triangle, side, edges, len(side))
        kept += [[polygon[0], polygon[k], polygon[k + 1]] for k in range(1, len(polygon) - 1)]
    used, local = np.unique(np.array(kept), return_inverse=True)

    pairs = np.array(list(edges), dtype=np.int64).reshape(-1, 2)
    first = np.concatenate([np.arange(len(side)), pairs[:, 0]])[used]
    second = np.concatenate([np.arange(len(side)), pairs[:, 1]])[used]
    span = side[first] - side[second]
    share = np.where(first == second, 1.0, -side[second] / np.where(first == second, 1.0, span))
    return CutMesh(local.reshape(-1, 3), first, second, share, np.flatnonzero(first != second))


def _kept_polygon(triangle: Integers, side: Doubles, edges: dict[tuple[int, int], int], vertices: int) -> list[int]:
    """The corners of the triangle's part with side > 0, in its order; new corners are numbered after the old vertices."""
    polygon = []
    for a, b in zip(triangle, np.roll(triangle, -1), strict=True):
        if side[a] > 0:
            polygon.append(int(a))
        if (side[a] > 0) != (side[b] > 0):
            edge = (int(min(a, b)), int(max(a, b)))
            polygon.append(edges.setdefault(edge, vertices + len(edges)))
    return polygon
