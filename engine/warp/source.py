"""The geometry of a portrait: for every pixel of the head as it should be, where the photograph shows the same surface.

Both pictures come from one mesh, projected once as the photograph shows it and once as desired; the difference is the flow
prior, exactly zero at rest however good the fit. Surface that the photograph does not show is treated by kind: skin that was
hidden (behind the chin, beside the nose) takes the nearest photographed skin, stretched; the mouth's inside and the whites
beside a moved iris take the rendered head I_3D.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.components import OUTLINES, middles
from engine.conventions import rotation
from engine.head import Part, PersonalHead
from engine.head.lips import PARTED_DM, lips_opened
from engine.render import create_renderer
from engine.render.lighting import vertex_normals
from engine.values import BLINKS, EXPRESSION_NAMES, JAW_OPEN, Coefficients, Floats, Picture
from engine.warp.lids import LID_DM, lids_of
from engine.warp.mesh import vertices_of
from engine.warp.photograph import INSIDE, analyse_photograph
from engine.warp.prior import ATTRIBUTES, Prior, PriorRasteriser
from engine.warp.vertices import VertexAppearance, dress, move

MOUTH_COEFFICIENTS = [i for i, name in enumerate(EXPRESSION_NAMES) if name.startswith(("jaw", "mouth", "tongue"))]
LIPS_PART = 0.1  # change of a mouth coefficient at which the inside of a mouth closed in the photograph is all rendered
JAW_DROPS = 0.15  # the same of the jaw, for what lies below the upper teeth of an open mouth: teeth would be stretched over it
EYES_DEEPER_DM = 0.05  # lids cut through the eyeballs on their way down
MOUTH_DEEPER_DM = 0.1  # lips that close over teeth cut through them
LIDS_DEEPER_DM = -0.03  # and the upper lid lies over the lower one's edge


def depth_bias(head: PersonalHead) -> Floats:
    """(V,) by how much deeper than it lies each vertex is drawn [dm]."""
    deeper = np.zeros(len(head.rest), np.float32)
    deeper[np.concatenate(head.model.eyeballs)] = EYES_DEEPER_DM
    deeper[(head.model.expression_basis[BLINKS, :, 1] < -LID_DM).any(0)] = LIDS_DEEPER_DM
    return deeper


def placed_vertices(head: PersonalHead, z: Coefficients) -> tuple[Floats, Floats]:
    """The head's vertices as a photograph with this z shows them: (V, 3) in camera space, and (V, 3) on the screen."""
    placed, screen = np.empty_like(head.rest), np.empty_like(head.rest)
    follow = head.model.follow.astype(np.float32)
    move(head.shape(z.expression, z.gaze), follow, depth_bias(head), z.pose, z.pose, placed, screen)
    return placed, screen


class SourceGeometry:
    """Made once per portrait; ``prior`` costs some milliseconds and allocates nothing large. One object serves one thread."""

    def __init__(self, head: PersonalHead, source: Coefficients, albedo: Floats, photo: Picture) -> None:
        """``albedo`` (V, 3) of the person's own head, 0…1; ``photo`` (S, S, 3), to which the head was fitted."""
        self._head, self._source = head, source
        vertices = len(albedo)
        placed, screen = placed_vertices(head, source)
        self._analysis = analysis = analyse_photograph(head, placed, screen, create_renderer("cpu", len(photo)))
        self._outlines = head.model.triangles[head.model.landmark_triangles[OUTLINES]]
        self._on_outlines = head.model.landmark_weights[OUTLINES].astype(np.float32)
        self._lids = lids_of(head, source, screen, photo)
        self._skin = VertexAppearance(
            analysis.uv, np.asarray(analysis.stretched, np.float32), analysis.facing, np.asarray(albedo, np.float32)
        )

        # the head's vertices and then the surround's: both move alike
        surround = analysis.surround
        at_rest = (surround.placed - source.pose[3:]) @ rotation(source.pose[:3])
        self._points = np.concatenate([np.zeros((vertices, 3)), at_rest]).astype(np.float32)
        self._follow = np.concatenate([head.model.follow.astype(np.float32), surround.follow])
        self._deeper = np.concatenate([depth_bias(head), np.zeros(len(at_rest), np.float32)])
        inside, skin = np.isin(head.model.part, INSIDE), head.model.part == Part.SKIN
        in_mouth = vertices_of(head.model.triangles[inside], vertices) & ~vertices_of(head.model.triangles[skin], vertices)
        self._in_mouth, self._opened = np.nonzero(in_mouth)[0], lips_opened(source.expression)
        self._placed, self._screen = np.empty_like(self._points), np.empty_like(self._points)
        self._normals = np.empty((vertices, 3), np.float32)
        self._attributes = np.zeros((len(self._points), ATTRIBUTES), np.float32)
        self._attributes[vertices:, :2] = surround.uv
        triangles = np.concatenate([head.model.triangles[analysis.drawn], surround.triangles + vertices])
        self.rasteriser = PriorRasteriser(triangles, int(analysis.drawn.sum()), len(photo))
        self._show_as_seen()

    def _show_as_seen(self) -> None:
        """Whatever is seen at rest shows its own place, so that nothing moves there."""
        self.prior(self._source)
        seen = np.unique(self.rasteriser.triangles[self.rasteriser.seen()])
        head = seen[seen < len(self._normals)]
        self._skin.uv[head] = self._screen[head, :2]
        self._analysis.unseen[head] = 0

    @property
    def screen(self) -> Floats:
        """(V, 3) crop coordinates and depth of the head's vertices as the last prior shows them; not to be changed."""
        return self._screen[: len(self._normals)]

    @property
    def lid_vertices(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The vertices of the left and of the right upper lid."""
        left, right = self._lids.lids
        return left.vertices, right.vertices

    def prior(self, z: Coefficients) -> Prior:
        """The prior of z_des: expression, gaze and pose are taken from it, the rest is the portrait's own."""
        head, source, analysis, vertices = self._head, self._source, self._analysis, len(self._normals)
        head.shape(z.expression, z.gaze, self._points[:vertices])
        closing = 1 - min(lips_opened(z.expression) / max(self._opened, PARTED_DM), 1.0) if analysis.mouth_open else 0.0
        self._deeper[self._in_mouth] = closing * MOUTH_DEEPER_DM
        # the head follows the pose, the neck's lower end stays with the body
        move(self._points, self._follow, self._deeper, z.pose, source.pose, self._placed, self._screen)
        vertex_normals(self._placed[:vertices], head.model.triangles, self._normals)
        dress(self._skin, self._placed, self._normals, source.illumination, self._attributes)
        change = z.expression - source.expression
        moved = np.clip(np.abs(change[MOUTH_COEFFICIENTS]).max() / LIPS_PART, 0, 1)
        lips, walls = analysis.lips, analysis.walls
        self._attributes[lips, :2] += moved * (analysis.stretched[lips] - self._attributes[lips, :2])
        faded = change[JAW_OPEN] / JAW_DROPS if analysis.mouth_open else moved
        self._attributes[:vertices, 2] = np.maximum(analysis.unseen, np.clip(faded, 0, 1) * analysis.fading)
        self._attributes[walls, 2] = np.maximum(self._attributes[walls, 2], moved)
        drawn = self._lids.draw(self._attributes, source, z)
        prior = self.rasteriser.draw(self._screen, self._attributes)
        outlines = np.einsum("kci,kc->ki", self._screen[self._outlines, :2], self._on_outlines)
        prior.components[:] = middles(outlines)
        prior.trust[1:] = 1 - drawn[::-1]  # right, left
        return prior
