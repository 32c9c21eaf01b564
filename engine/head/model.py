"""The morphable head (paper eq. 2 and 3): shape and albedo from coefficients, eyeballs that turn, 478 landmark points.

Coordinates are those of ``engine.conventions``; the origin is the base of the skull, between the ears and at the height of
the nose: the point about which a head turns on its neck. Vertices are numbered skin first; all arrays are float32.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from engine.head.parts import Part
from engine.values import Floats

Indices = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class HeadModel:
    """Mean and bases. V vertices, T triangles.

    mean_shape        (V, 3) dm                identity_basis (80, V, 3) dm per standard deviation
    expression_basis  (64, V, 3) dm, the first 52 at full strength of ``EXPRESSION_NAMES``; zero on the eyeballs
    mean_albedo       (V, 3) sRGB 0…1          albedo_basis (80, V, 3) sRGB per standard deviation
    triangles         (T, 3) anticlockwise seen from outside    part (T,) uint8, see ``Part``
    landmark_triangles (478,), landmark_weights (478, 3) where the tracker's points lie on the surface
    follow            (V,) 0…1, how far a vertex moves with the skull: 1 on the head, falling to 0 at the neck's lower end
    eye_centres       (2, S) the vertices whose mean is the centre of the left and of the right eyeball, before it turns;
                      (2, 0) for a model without eyeballs
    """

    mean_shape: Floats
    identity_basis: Floats
    expression_basis: Floats
    mean_albedo: Floats
    albedo_basis: Floats
    triangles: Indices
    part: NDArray[np.uint8]
    landmark_triangles: Indices
    landmark_weights: Floats
    follow: Floats
    eye_centres: Indices

    def with_identity(self, identity: Floats, offset: Floats | None = None) -> PersonalHead:
        """The head of one person: (80,) α and, optionally, a (V, 3) correction of the shape at rest [dm]."""
        rest = self.mean_shape + np.tensordot(identity.astype(np.float32), self.identity_basis, 1)
        return PersonalHead(self, np.asarray(rest if offset is None else rest + offset, np.float32))

    def shape(self, identity: Floats, expression: Floats, gaze: Floats) -> Floats:
        """Eq. 2, (80,) α, (64,) β, (4,) τ → (V, 3) dm. For many frames of one person use ``with_identity``."""
        return self.with_identity(identity).shape(expression, gaze)

    def albedo(self, texture: Floats) -> Floats:
        """Eq. 3, (80,) δ → (V, 3) sRGB 0…1."""
        colours = self.mean_albedo + np.tensordot(texture.astype(np.float32), self.albedo_basis, 1)
        return np.asarray(np.clip(colours, 0, 1))

    def landmarks(self, vertices: Floats) -> Floats:
        """(V, 3) vertices in any space → (478, 3) the tracker's points on them."""
        corners = vertices[self.triangles[self.landmark_triangles]]
        points: Floats = np.einsum("kci,kc->ki", corners, self.landmark_weights)
        return points

    @cached_property
    def eyeballs(self) -> tuple[Indices, Indices]:
        """The sorted vertices of the left and of the right eyeball."""
        left, right = (np.unique(self.triangles[self.part == part]) for part in (Part.EYE_LEFT, Part.EYE_RIGHT))
        return left, right

    @cached_property
    def flat_expression_basis(self) -> Floats:
        """(64, 3 V), contiguous."""
        return np.ascontiguousarray(self.expression_basis.reshape(len(self.expression_basis), -1))


@dataclass(frozen=True, eq=False)
class PersonalHead:
    """A head whose identity is fixed; ``rest`` (V, 3) dm is its shape without expression, looking straight ahead."""

    model: HeadModel
    rest: Floats

    def shape(self, expression: Floats, gaze: Floats, out: Floats | None = None) -> Floats:
        """Eq. 2, (64,) β and (4,) τ → (V, 3) dm, written into ``out`` (contiguous) when given."""
        if out is None:
            out = np.empty_like(self.rest)
        np.dot(expression.astype(np.float32), self.model.flat_expression_basis, out=out.reshape(-1))
        out += self.rest
        for vertices, centre, arms, direction in zip(
            self.model.eyeballs, self.eye_centres, self._eye_arms, gaze.reshape(2, 2), strict=True
        ):
            out[vertices] = arms @ turn_toward(direction).T + centre
        return out

    @cached_property
    def eye_centres(self) -> Floats:
        """(2, 3) centres of the left and of the right eyeball [dm]."""
        if self.model.eye_centres.size == 0:
            return np.zeros((2, 3), np.float32)
        return np.asarray(self.rest[self.model.eye_centres].mean(1))

    @cached_property
    def _eye_arms(self) -> tuple[Floats, Floats]:
        left, right = (self.rest[v] - c for v, c in zip(self.model.eyeballs, self.eye_centres, strict=True))
        return left, right


def turn_toward(gaze: Floats) -> Floats:
    """(2,) x and y of a unit vector → (3, 3) the smallest rotation that takes +z to it; cut to 80° aside."""
    x, y = gaze * min(1.0, 0.985 / max(float(np.hypot(*gaze)), 1e-9))
    z = float(np.sqrt(1 - x * x - y * y))
    k = 1 / (1 + z)
    return np.array([[1 - k * x * x, -k * x * y, x], [-k * x * y, 1 - k * y * y, y], [-x, -y, z]], np.float32)
