"""What a photograph shows of a head that was fitted to it: which surface, where, and how well."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.head import Part, PersonalHead
from engine.landmark_indices import INNER_LIP_RIMS
from engine.render import Raster, Renderer
from engine.render.lighting import vertex_normals
from engine.sampling import sample
from engine.values import EXPRESSION_NAMES, JAW_OPEN, Floats, Mask
from engine.warp.mesh import connected, facing_camera, grown, spread_over_mesh, vertices_of
from engine.warp.surround import Surround, make_surround

INSIDE = (Part.UPPER_TEETH, Part.LOWER_TEETH, Part.TONGUE, Part.MOUTH)
FOLDS = [i for i, name in enumerate(EXPRESSION_NAMES) if name.startswith(("eyeBlink", "mouthRoll"))]
OPEN_MOUTH_PX = 700  # of teeth and tongue until the photograph's own mouth is believed: parted lips show up to 500, smiles 900
EDGE_FACING, EDGE_STRIP = 0.2, 0.15  # cosine of the angle of sight, distance from the outline [crop units]: left to the surround
SURE_FACING = 0.3  # skin seen at a steeper angle than this is worth stretching over what comes into view beside it
FOLD_DM = 0.01  # skin that these move by this much is lid or lip, whose folds face every way
# shapes that move skin along the outline: there the sheet lies well behind, or it would show through
MOBILE = [i for i, name in enumerate(EXPRESSION_NAMES) if name.startswith(("brow", "jawOpen"))]
PARTED_PX = 4.0  # of 512: lips nearer than this are shut
LIP_EDGE_PX = 2.0  # of 512: so near to the teeth that a photograph shows, lips are not sure to be lips
NEAREST = 4  # vertices that are sure to be lips, whose mean place stands for one that is not
WALL_RINGS = 30  # of the mesh from the lips on: all of the mouth's walls, but no gums
RINGS = 3  # of the mesh around teeth that the photograph shows: what they hide nearly is taken to look like them


@dataclass(frozen=True)
class PhotographAnalysis:
    """What is learned of a photograph.

    uv            (V, 2) each vertex's place in it
    stretched     (V, 2) the same, taken from the nearest skin that is seen well
    facing        (V,)   cosine between normal and line of sight
    lips          (K,)   skin of the lips where it shows the mouth's inside
    unseen        (V,)   1 for eyeball and mouth that it does not show
    mouth_open    whether it shows the inside of the mouth
    fading        (V,)   1 for what of the mouth is its own only at rest: of a closed one all, else all but the upper teeth
    walls         (K,)   the mouth's walls, which hang on the lips
    drawn         (T,)   triangles to draw
    """

    surround: Surround
    uv: Floats
    stretched: Floats
    facing: Floats
    lips: NDArray[np.intp]
    unseen: Floats
    mouth_open: bool
    fading: Floats
    walls: NDArray[np.intp]
    drawn: Mask


def analyse_photograph(head: PersonalHead, placed: Floats, screen: Floats, renderer: Renderer) -> PhotographAnalysis:
    """From the head's vertices as the photograph shows them: (V, 3) in camera space and (V, 3) on the screen."""
    triangles = head.model.triangles
    facing = facing_camera(placed, vertex_normals(placed, triangles))
    raster = renderer.rasterise(screen, triangles)
    skin = head.model.part == Part.SKIN
    kept = skin & ~_turned_away(screen, facing, raster, head)[triangles].any(1)
    drawn = ~skin | (kept & connected(triangles, kept, int(np.argmin(screen[:, 2])))[triangles].any(1))
    raster = renderer.rasterise(screen, triangles[drawn])
    mobility = np.linalg.norm(head.model.expression_basis[MOBILE], axis=2).max(0)
    fields = np.stack([head.model.follow, mobility], 1)
    follow, mobility = np.moveaxis(renderer.interpolate(raster, triangles[drawn], fields), 2, 0)
    visible = np.zeros(len(triangles), bool)
    visible[np.nonzero(drawn)[0][np.unique(raster.triangle[raster.triangle >= 0])]] = True
    inside = np.isin(head.model.part, INSIDE)
    mouth_open = bool(np.count_nonzero(inside[drawn][raster.triangle[raster.triangle >= 0]]) >= OPEN_MOUTH_PX)
    seen, on_skin, in_mouth = (vertices_of(triangles[which], len(screen)) for which in (visible, skin, inside))
    uv = np.where((on_skin & ~seen)[:, None], spread_over_mesh(screen[:, :2], seen, triangles[skin]), screen[:, :2])
    unseen = (~seen & ~on_skin).astype(np.float32)
    if mouth_open:
        near = in_mouth & ~on_skin & grown(seen, triangles[inside], RINGS)
        uv = np.where(near[:, None], spread_over_mesh(screen[:, :2], seen, triangles[inside]), uv)
        unseen[near] = 0
    upper = vertices_of(triangles[head.model.part == Part.UPPER_TEETH], len(screen))
    fading = (in_mouth & ~on_skin & ~(upper & mouth_open)).astype(np.float32)
    walls = np.nonzero(grown(on_skin, triangles[head.model.part == Part.MOUTH], WALL_RINGS) & ~on_skin)[0]
    between = on_skin & _between_lips(uv, head, screen, len(raster.triangle))
    sure, lips = seen & (facing > SURE_FACING) & ~between, np.nonzero(between)[0]
    stretched = np.where(on_skin[:, None], spread_over_mesh(screen[:, :2], sure, triangles[skin]), uv)
    apart = head.rest + head.model.expression_basis[JAW_OPEN]  # no lip is near the other one
    stretched[lips] = _nearest(apart, lips, np.nonzero(sure)[0], screen[:, :2])
    chin = float(screen[head.model.follow > 0.99, 1].max())
    surround = make_surround(raster, follow, mobility, chin)
    uv = uv.astype(np.float32)
    return PhotographAnalysis(surround, uv, stretched, facing, lips, unseen, mouth_open, fading, walls, drawn)


def _between_lips(uv: Floats, head: PersonalHead, screen: Floats, size: int) -> Mask:
    """(V,) whether the photograph has the mouth's inside at places (V, 2), between the inner edges of the lips."""
    points = (head.model.landmarks(screen)[:, :2] + 1) * (size / 2) - 0.5
    upper, lower = (points[list(rim)] for rim in INNER_LIP_RIMS)
    if (lower - upper)[:, 1].max() < PARTED_PX * size / 512:
        return np.zeros(len(uv), bool)
    edge = np.concatenate([upper, lower[::-1]])
    inside = np.zeros((size, size), np.uint8)
    cv2.fillPoly(inside, [edge.round().astype(np.int32)], (1,))
    distance = cv2.distanceTransform(1 - inside, cv2.DIST_L2, 5).astype(np.float32)
    return np.asarray(sample(distance[..., None], uv[None])[0, :, 0] < LIP_EDGE_PX * size / 512)


def _nearest(shape: Floats, wanted: NDArray[np.intp], known: NDArray[np.intp], values: Floats) -> Floats:
    """(K, C) for the vertices ``wanted`` (K,) of a shape (V, 3) the mean of values (V, C) at the nearest of ``known`` (N,)."""
    squared = ((shape[wanted][:, None] - shape[known]) ** 2).sum(2)
    near = np.argpartition(squared, NEAREST, axis=1)[:, :NEAREST]
    weight = 1 / (np.take_along_axis(squared, near, 1) + 1e-5)
    return np.asarray((values[known[near]] * (weight / weight.sum(1, keepdims=True))[..., None]).sum(1), np.float32)


def _turned_away(screen: Floats, facing: Floats, raster: Raster, head: PersonalHead) -> Mask:
    """(V,) skin left to the surround: the head's back, and the strip along the outline that the photograph shows edge-on.

    Ears, which are beyond that strip, go with it: only what hangs together with the nose is drawn.
    """
    outline = cv2.distanceTransform((raster.triangle >= 0).astype(np.uint8), cv2.DIST_L2, 5) * (2 / len(raster.triangle))
    pixel = ((screen[:, :2] + 1) / 2 * len(outline)).astype(int).clip(0, len(outline) - 1)
    edge = (facing < EDGE_FACING) & (outline[pixel[:, 1], pixel[:, 0]] < EDGE_STRIP)
    motion = np.linalg.norm(head.model.expression_basis, axis=2)
    edge &= motion[FOLDS].max(0) < FOLD_DM
    return np.asarray(edge | ((facing < 0) & (head.rest[:, 2] < 0)))
