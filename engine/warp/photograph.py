"""What a photograph shows of a head that was fitted to it: which surface, where, and how well."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.conventions import project
from engine.head import Part, PersonalHead
from engine.render import Renderer
from engine.render.lighting import vertex_normals
from engine.sampling import sample
from engine.values import BLINKS, Floats, Mask
from engine.warp.mesh import facing_camera, grown, spread_over_mesh, vertices_of
from engine.warp.outline import OPAQUE, nearest_person
from engine.warp.shell import HeadShell, make_shell
from engine.warp.surround import Surround, make_surround

INSIDE = (Part.UPPER_TEETH, Part.LOWER_TEETH, Part.TONGUE, Part.MOUTH)
OPEN_MOUTH_PX = 700  # of teeth and tongue until the photograph's own mouth is believed: parted lips show up to 500, smiles 900
SURE_FACING = 0.2  # skin seen at a steeper angle than this is worth stretching over what comes into view beside it
BACK_DM = (
    -0.2
)  # depth in head coordinates beyond which skin is not spread: around the back it would lead to the other side of the face
FOLD_DM = 0.01  # skin that a blink lowers by this much is lid, whose folds face every way
RINGS = 3  # of the mesh around teeth that the photograph shows: what they hide nearly is taken to look like them


@dataclass(frozen=True)
class PhotographAnalysis:
    """What is learned of a photograph.

    uv            (V, 2) each vertex's place in it
    stretched     (V, 2) the same, taken from the nearest skin that is seen well
    facing        (V,)   cosine between normal and line of sight
    unseen        (V,)   1 for eyeball and mouth that it does not show
    mouth_open    whether it shows the inside of the mouth
    fading        (V,)   1 for what of the mouth is its own only at rest: of a closed one all, else all but the upper teeth
    drawn         (T,)   triangles to draw
    """

    surround: Surround
    shell: HeadShell
    uv: Floats
    stretched: Floats
    facing: Floats
    unseen: Floats
    mouth_open: bool
    fading: Floats
    drawn: Mask


def analyse_photograph(
    head: PersonalHead, pose: Floats, placed: Floats, screen: Floats, matte: Floats, renderer: Renderer
) -> PhotographAnalysis:
    """From the head's vertices as the photograph shows them, (V, 3) in camera space and (V, 3) on the screen, and its matte."""
    triangles = head.model.triangles
    facing = facing_camera(placed, vertex_normals(placed, triangles))
    skin = head.model.part == Part.SKIN
    upright = head.model.follow > 0.99
    whole = renderer.rasterise(screen, triangles[upright[triangles].all(1)])
    shell = make_shell(head, pose, screen, facing, whole, matte)
    folds = head.model.expression_basis[BLINKS, :, 1].min(0) < -FOLD_DM
    drawn = ~skin | ~(shell.covers & ~folds)[triangles].any(1)
    raster = renderer.rasterise(screen, triangles[drawn])
    follow = renderer.interpolate(raster, triangles[drawn], head.model.follow[:, None])[..., 0]
    visible = np.zeros(len(triangles), bool)
    visible[np.nonzero(drawn)[0][np.unique(raster.triangle[raster.triangle >= 0])]] = True
    inside = np.isin(head.model.part, INSIDE)
    mouth_open = bool(np.count_nonzero(inside[drawn][raster.triangle[raster.triangle >= 0]]) >= OPEN_MOUTH_PX)
    seen, on_skin, in_mouth = (vertices_of(triangles[which], len(screen)) for which in (visible, skin, inside))
    opaque = sample(matte[..., None], screen[None, :, :2])[0, :, 0] > OPAQUE
    before = triangles[skin & drawn & (head.rest[triangles, 2] > BACK_DM).all(1)]
    around = spread_over_mesh(screen[:, :2], seen & opaque, triangles[skin])
    continued = nearest_person(matte, spread_over_mesh(around, seen & opaque, before))
    uv = np.where((on_skin & ~seen)[:, None], continued, screen[:, :2])
    unseen = (~seen & ~on_skin).astype(np.float32)
    if mouth_open:
        near = in_mouth & ~on_skin & grown(seen, triangles[inside], RINGS)
        uv = np.where(near[:, None], spread_over_mesh(screen[:, :2], seen, triangles[inside]), uv)
        unseen[near] = 0
    upper = vertices_of(triangles[head.model.part == Part.UPPER_TEETH], len(screen))
    fading = (in_mouth & ~on_skin & ~(upper & mouth_open)).astype(np.float32)
    sure = seen & opaque & (facing > SURE_FACING) & ~shell.beside
    seen_well = nearest_person(matte, spread_over_mesh(around, sure, before))
    stretched = np.where((on_skin & ~shell.beside)[:, None], seen_well, uv)
    chin = float(screen[upright, 1].max())
    covered = renderer.rasterise(project(shell.placed), shell.triangles)
    surround = make_surround(raster, covered, follow, chin, matte)
    return PhotographAnalysis(surround, shell, uv.astype(np.float32), stretched, facing, unseen, mouth_open, fading, drawn)
