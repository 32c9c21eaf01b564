"""The geometry of a portrait: for every pixel of the head as it should be, where the photograph shows the same surface.

Both pictures come from one mesh, projected once as the photograph shows it and once as desired; the difference is the flow
prior, exactly zero at rest however good the fit. Surface that the photograph does not show is treated by kind: skin that was
hidden (behind the chin, beside the nose) takes the nearest photographed skin, stretched; the mouth's inside and the whites
beside a moved iris take the rendered head I_3D.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numba
import numpy as np

from engine.conventions import CAMERA_DISTANCE_DM, pixel_grid, place, project, rotation
from engine.head import Part, PersonalHead
from engine.render import Raster, Renderer, create_renderer
from engine.render.lighting import shade, vertex_normals
from engine.render.raster import Indices
from engine.values import EXPRESSION_NAMES, Coefficients, Floats, Mask, Picture
from engine.warp.surround import Surround, make_surround

JAW_OPEN = EXPRESSION_NAMES.index("jawOpen")
BLINKS = [EXPRESSION_NAMES.index("eyeBlinkLeft"), EXPRESSION_NAMES.index("eyeBlinkRight")]
LID_DM = 0.01  # skin that a blink moves by this much is lid
MOUTH_COEFFICIENTS = [i for i, name in enumerate(EXPRESSION_NAMES) if name.startswith(("jaw", "mouth", "tongue"))]
SPREAD_STEPS = 200  # of averaging over the mesh, enough to carry skin around an ear
OPEN_MOUTH_PX = 60  # so many pixels of teeth and tongue must be seen before the photograph's own mouth is believed
EDGE_FACING, EDGE_STRIP = 0.3, 0.15  # cosine of the angle of sight, distance from the outline [crop units]: left to the surround
SURE_FACING = 0.3  # skin seen at a steeper angle than this is worth stretching over what comes into view beside it
RINGS = 3  # of the mesh around teeth that the photograph shows: what they hide nearly is taken to look like them
LIPS_PART = 0.1  # change of a mouth coefficient at which the inside of a mouth closed in the photograph is all rendered
EYES_DEEPER_DM = 0.05
TURN = 0.2  # by which the cosine must grow for such stretching to be complete


@dataclass(frozen=True)
class Prior:
    """What geometry knows of a driven picture; arrays are reused by the next call.

    flow          (N, N, 2)        backward flow into the photograph, ``engine.conventions``
    render        (N, N, 3) uint8  I_3D of the head, 0 elsewhere
    render_weight (N, N)           0…1, where the photograph has nothing to show and I_3D stands in
    coverage      (N, N)           1 where the head mesh is, else 0
    """

    flow: Floats
    render: Picture
    render_weight: Floats
    coverage: Floats


class SourceGeometry:
    """Made once per portrait; ``prior`` costs some milliseconds. One object serves one thread."""

    def __init__(self, head: PersonalHead, source: Coefficients, albedo: Floats, size: int = 512) -> None:
        """``albedo`` (V, 3) of the person's own head, 0…1."""
        self._head, self._source, self._albedo = head, source, albedo
        self._renderer: Renderer = create_renderer("cpu", size)
        self._look = look = self._look_at_source(size)
        self._surround = surround = look.surround
        self._surround_local = (surround.placed - source.pose[3:]) @ rotation(source.pose[:3])
        vertices, sheet = len(look.uv), len(surround.uv)
        self._triangles = np.concatenate([head.model.triangles[look.drawn], surround.triangles + vertices]).astype(np.int32)
        self._screen = np.empty((vertices + sheet, 3), np.float32)
        self._attributes = np.zeros((vertices + sheet, 7), np.float32)  # u, v, unseen, head, r, g, b
        self._attributes[vertices:, :2] = surround.uv
        self._attributes[:vertices, 3] = 1
        self._seen = np.empty((size, size, 7), np.float32)
        self._grid = pixel_grid(size)
        self._prior = Prior(
            np.empty((size, size, 2), np.float32),
            np.empty((size, size, 3), np.uint8),
            np.empty((size, size), np.float32),
            np.empty((size, size), np.float32),
        )

    def prior(self, z: Coefficients) -> Prior:
        """The prior of z_des: expression, gaze and pose are taken from it, the rest is the portrait's own."""
        vertices = len(self._albedo)
        placed = self._place(z)
        self._screen[:vertices] = self._project(placed)
        self._screen[vertices:] = project(self._place_surround(z.pose))
        triangles = self._head.model.triangles
        parted = np.abs(z.expression - self._source.expression)[MOUTH_COEFFICIENTS].max() / LIPS_PART
        self._attributes[:vertices, 2] = np.maximum(self._look.unseen, min(parted, 1) * self._look.closed_mouth)
        self._attributes[:vertices, :2] = self._places(facing_camera(placed, triangles))
        self._attributes[:vertices, 4:] = shade(self._albedo, vertex_normals(placed, triangles), self._source.illumination) * 255
        raster = self._renderer.rasterise(self._screen, self._triangles)
        self._renderer.interpolate(raster, self._triangles, self._attributes, self._seen)
        out = self._prior
        _split(self._seen, self._grid, out.flow, out.render, out.render_weight, out.coverage)
        return out

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

    def _look_at_source(self, size: int) -> _Look:
        """Which surface the photograph shows, where, and how well."""
        head = self._head
        triangles = head.model.triangles
        placed = self._place(self._source)
        screen, facing = self._project(placed), facing_camera(placed, triangles)
        raster = self._renderer.rasterise(screen, triangles)
        skin = head.model.part == Part.SKIN
        drawn = ~skin | ~_turned_away(screen, facing, raster, head)[triangles].any(1)
        raster = self._renderer.rasterise(screen, triangles[drawn])
        mobility = np.linalg.norm(head.model.expression_basis[JAW_OPEN], axis=1)
        fields = np.stack([head.model.follow, mobility], 1)
        follow, mobility = np.moveaxis(self._renderer.interpolate(raster, triangles[drawn], fields), 2, 0)
        visible = np.zeros(len(triangles), bool)
        visible[np.nonzero(drawn)[0][np.unique(raster.triangle[raster.triangle >= 0])]] = True
        inside = np.isin(head.model.part, INSIDE)
        mouth_open = np.count_nonzero(inside[drawn][raster.triangle[raster.triangle >= 0]]) >= OPEN_MOUTH_PX
        seen, on_skin, in_mouth = (_vertices(triangles[which], len(screen)) for which in (visible, skin, inside))
        uv = np.where((on_skin & ~seen)[:, None], spread_over_mesh(screen[:, :2], seen, triangles[skin]), screen[:, :2])
        unseen = (~seen & ~on_skin).astype(np.float32)
        if mouth_open:
            near = in_mouth & ~on_skin & _grown(seen, triangles[inside], RINGS)
            uv = np.where(near[:, None], spread_over_mesh(screen[:, :2], seen, triangles[inside]), uv)
            unseen[near] = 0
        closed_mouth = (in_mouth & ~on_skin & (not mouth_open)).astype(np.float32)
        sure = seen & (facing > SURE_FACING)
        stretched = np.where(on_skin[:, None], spread_over_mesh(screen[:, :2], sure, triangles[skin]), uv)
        chin = float(screen[head.model.follow > 0.99, 1].max())
        surround = make_surround(raster, follow, mobility, chin)
        return _Look(surround, uv.astype(np.float32), stretched, facing, unseen, closed_mouth, drawn)


@dataclass(frozen=True)
class _Look:
    """What ``SourceGeometry`` learns of the photograph.

    uv            (V, 2) each vertex's place in it
    stretched     (V, 2) the same, taken from the nearest skin that is seen well
    facing        (V,)   cosine between normal and line of sight
    unseen        (V,)   1 for eyeball and mouth that it does not show
    closed_mouth  (V,)   1 for the inside of a mouth that is closed in it
    drawn         (T,)   triangles to draw
    """

    surround: Surround
    uv: Floats
    stretched: Floats
    facing: Floats
    unseen: Floats
    closed_mouth: Floats
    drawn: Mask


INSIDE = (Part.UPPER_TEETH, Part.LOWER_TEETH, Part.TONGUE, Part.MOUTH)


def facing_camera(placed: Floats, triangles: Indices) -> Floats:
    """(V,) cosine between each vertex's normal and the line of sight, 1 = seen from the front, below 0 = from behind."""
    sight = np.array([0, 0, CAMERA_DISTANCE_DM], np.float32) - placed
    normals = vertex_normals(placed, triangles)
    return np.asarray((normals * sight).sum(1) / np.linalg.norm(sight, axis=1), np.float32)


def _turned_away(screen: Floats, facing: Floats, raster: Raster, head: PersonalHead) -> Mask:
    """(V,) skin left to the surround: the head's back, and the strip along the outline that the photograph shows edge-on."""
    outline = cv2.distanceTransform((raster.triangle >= 0).astype(np.uint8), cv2.DIST_L2, 5) * (2 / len(raster.triangle))
    pixel = ((screen[:, :2] + 1) / 2 * len(outline)).astype(int).clip(0, len(outline) - 1)
    edge = (facing < EDGE_FACING) & (outline[pixel[:, 1], pixel[:, 0]] < EDGE_STRIP)
    lids = np.linalg.norm(head.model.expression_basis[BLINKS], axis=2).max(0) > LID_DM
    edge &= ~lids  # their folds face every way
    return np.asarray(edge | ((facing < 0) & (head.rest[:, 2] < 0)))


def _vertices(triangles: Indices, count: int) -> Mask:
    """(V,) which vertices some triangles have."""
    out = np.zeros(count, bool)
    out[triangles] = True
    return out


def _grown(seen: Mask, triangles: Indices, rings: int) -> Mask:
    """(V,) the seen vertices and those at most ``rings`` edges away from them."""
    out = seen.copy()
    for _ in range(rings):
        out = out | _vertices(triangles[out[triangles].any(1)], len(out))
    return out


def spread_over_mesh(values: Floats, known: Mask, triangles: Indices) -> Floats:
    """(V, C) values, kept where known and elsewhere averaged from neighbour to neighbour until they are smooth (harmonic)."""
    out, reached = values.astype(np.float32), known.copy()
    touched = np.unique(triangles)
    order = touched[~known[touched]]
    both = np.concatenate([triangles[:, [a, b]] for a in range(3) for b in range(3) if a != b])
    start, end = np.divmod(np.unique(both[:, 0] * np.int64(len(values)) + both[:, 1]), len(values))
    _relax(out, reached, order, np.searchsorted(start, np.arange(len(values) + 1)), end, SPREAD_STEPS)
    return out


@numba.njit(cache=True, nogil=True)
def _relax(out, reached, order, starts, neighbours, steps):  # type: ignore[no-untyped-def]
    """Gauss-Seidel: each unknown vertex becomes the mean of its neighbours that have a value already."""
    total = np.zeros(out.shape[1], np.float32)
    for _ in range(steps):
        for v in order:
            count = 0
            total[:] = 0
            for k in range(starts[v], starts[v + 1]):
                if reached[neighbours[k]]:
                    total += out[neighbours[k]]
                    count += 1
            if count:
                out[v] = total / count
                reached[v] = True


@numba.njit(cache=True, nogil=True)
def _split(seen, grid, flow, render, weight, coverage):  # type: ignore[no-untyped-def]
    """Attributes of the pixels → the prior's arrays; the render's edge is softened over one pixel on either side."""
    size = seen.shape[0]
    for y in range(size):
        for x in range(size):
            coverage[y, x] = seen[y, x, 3]
            flow[y, x, 0] = seen[y, x, 0] - grid[y, x, 0]
            flow[y, x, 1] = seen[y, x, 1] - grid[y, x, 1]
            for k in range(3):
                render[y, x, k] = np.uint8(min(max(seen[y, x, 4 + k] + np.float32(0.5), np.float32(0)), np.float32(255)))
            weight[y, x] = seen[y, x, 2]
    for y in range(1, size - 1):
        for x in range(1, size - 1):
            total = np.float32(0)
            for j in range(-1, 2):
                for i in range(-1, 2):
                    total += seen[y + j, x + i, 2]
            if total <= 0 or total >= 9:
                continue
            weight[y, x] = total / np.float32(9)
            if seen[y, x, 2] < 0.5:
                continue
            # an inside pixel at the edge shows some photograph too: that of its nearest neighbour outside
            best = np.float32(0.5)
            for j in range(-1, 2):
                for i in range(-1, 2):
                    if seen[y + j, x + i, 2] < best:
                        best = seen[y + j, x + i, 2]
                        flow[y, x, 0] = seen[y + j, x + i, 0] - grid[y + j, x + i, 0]
                        flow[y, x, 1] = seen[y + j, x + i, 1] - grid[y + j, x + i, 1]
