"""The geometry of a portrait: for every pixel of the head as it should be, where the photograph shows the same surface.

Both pictures come from one mesh, projected once as the photograph shows it and once as desired; the difference is the flow
prior, exactly zero at rest however good the fit. Surface that the photograph does not show is treated by kind: skin that was
hidden (behind the chin, beside the nose) takes the nearest photographed skin, stretched; the mouth's inside and the whites
beside a moved iris take the rendered head I_3D.
"""

from __future__ import annotations

import numpy as np

from engine.conventions import place, project, rotation
from engine.head import PersonalHead
from engine.render import Renderer, create_renderer
from engine.render.lighting import shade, vertex_normals
from engine.values import EXPRESSION_NAMES, Coefficients, Floats
from engine.warp.mesh import facing_camera
from engine.warp.photograph import SURE_FACING, look_at
from engine.warp.prior import Prior, draw_prior

MOUTH_COEFFICIENTS = [i for i, name in enumerate(EXPRESSION_NAMES) if name.startswith(("jaw", "mouth", "tongue"))]
LIPS_PART = 0.1  # change of a mouth coefficient at which the inside of a mouth closed in the photograph is all rendered
EYES_DEEPER_DM = 0.05
TURN = 0.2  # by which a vertex must turn toward the viewer for better seen skin to take its place [cosine]


class SourceGeometry:
    """Made once per portrait; ``prior`` costs some milliseconds. One object serves one thread."""

    def __init__(self, head: PersonalHead, source: Coefficients, albedo: Floats, size: int = 512) -> None:
        """``albedo`` (V, 3) of the person's own head, 0…1."""
        self._head, self._source, self._albedo = head, source, albedo
        self._renderer: Renderer = create_renderer("cpu", size)
        placed = self._place(source)
        self._look = look = look_at(head, placed, self._project(placed), self._renderer)
        self._surround = surround = look.surround
        self._surround_local = (surround.placed - source.pose[3:]) @ rotation(source.pose[:3])
        vertices, sheet = len(look.uv), len(surround.uv)
        self._heads = int(look.drawn.sum())
        self._triangles = np.concatenate([head.model.triangles[look.drawn], surround.triangles + vertices]).astype(np.int32)
        self._screen = np.empty((vertices + sheet, 3), np.float32)
        self._attributes = np.zeros((vertices + sheet, 6), np.float32)  # see ``draw_prior``
        self._attributes[vertices:, :2] = surround.uv
        self._weight = np.empty((size, size), np.float32)
        self._prior = Prior.empty(size)

    def prior(self, z: Coefficients) -> Prior:
        """The prior of z_des: expression, gaze and pose are taken from it, the rest is the portrait's own."""
        vertices = len(self._albedo)
        placed = self._place(z)
        normals = vertex_normals(placed, self._head.model.triangles)
        self._screen[:vertices] = self._project(placed)
        self._screen[vertices:] = project(self._place_surround(z.pose))
        parted = np.abs(z.expression - self._source.expression)[MOUTH_COEFFICIENTS].max() / LIPS_PART
        self._attributes[:vertices, :2] = self._places(facing_camera(placed, normals))
        self._attributes[:vertices, 2] = np.maximum(self._look.unseen, min(parted, 1) * self._look.closed_mouth)
        self._attributes[:vertices, 3:] = shade(self._albedo, normals, self._source.illumination) * 255
        raster = self._renderer.rasterise(self._screen, self._triangles)
        draw_prior(raster, self._triangles, self._heads, self._attributes, self._weight, self._prior)
        return self._prior

    def _places(self, facing: Floats) -> Floats:
        """(V, 2) where the photograph shows each vertex. Skin that it shows edge-on and that turns toward the viewer would be a
        few pixels pulled wide; it takes its neighbours' skin instead, the more it has turned. At rest nothing has."""
        look = self._look
        doubt = np.clip((SURE_FACING - look.facing) / 0.2, 0, 1)
        share = (doubt * np.clip((facing - look.facing) / TURN, 0, 1))[:, None]
        return look.uv + share * (look.stretched - look.uv)

    def _place(self, z: Coefficients) -> Floats:
        """(V, 3) camera space: the head follows the pose, the neck's lower end stays with the body."""
        vertices = self._head.shape(z.expression, z.gaze)
        follow = self._head.model.follow[:, None]
        return np.asarray(follow * place(vertices, z.pose) + (1 - follow) * place(vertices, self._source.pose), np.float32)

    def _project(self, placed: Floats) -> Floats:
        """(V, 3) crop coordinates and depth; the eyeballs a little deeper, for lids cut through them on their way down."""
        screen = project(placed)
        for eye in self._head.model.eyeballs:
            screen[eye, 2] += EYES_DEEPER_DM
        return screen

    def _place_surround(self, pose: Floats) -> Floats:
        follow = self._surround.follow[:, None]
        moved = place(self._surround_local, pose)
        return np.asarray(follow * moved + (1 - follow) * self._surround.placed, np.float32)
