"""A further photograph of a person: where it shows each vertex of the head that was fitted to the first one, and how well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.head import Part, PersonalHead
from engine.landmark_indices import EYE_CORNERS, LID_MIDDLES
from engine.photographs.colours import match_colours, recoloured
from engine.photographs.regions import face_regions
from engine.portrait import FaceInPhotograph
from engine.ramps import smooth_step
from engine.regress.appearance import vertex_colours
from engine.regress.landmarks import observed
from engine.regress.portrait import Fit, personal_offset, with_lashes
from engine.regress.same_person import SamePerson
from engine.render import Renderer, create_renderer
from engine.values import BLINKS, JAW_OPEN, Coefficients, Face, Floats, Mask, Picture, Square
from engine.warp.lids import TAKEN_UP
from engine.warp.mesh import vertices_of
from engine.warp.photograph import PhotographAnalysis, analyse_photograph
from engine.warp.source import JAW_DROPS, LIPS_PART, MOUTH_COEFFICIENTS, placed_vertices

SHUT_OPENING = 0.31  # of the first photograph's opening: shut eyes show up to 0.29, narrow ones from 0.33 on
SHUT = 0.5  # a blink up to which the lash line is taken to belong to the upper lid
FACING = (-0.1, 0.2)  # cosine of the angle of sight from which on, and up to which, skin is worth more
HIDDEN = 0.3  # of what skin is worth that the photograph does not show, and that is spread from beside it
IN_FACE = 0.3  # share of the face's regions, from which on a vertex counts as the face
WELL_SEEN = 0.3  # cosine of the angle of sight of skin whose colours are compared


@dataclass(frozen=True)
class ShownHead:
    """What a photograph shows of a head: places ``screen`` (V, 3), ``analysis``, ``worth`` (V,) 0…1 of each vertex as it is
    shown, ``colours`` (V, 3) 0…1 and ``skin`` (V,), where they are those of skin that is seen well."""

    screen: Floats
    analysis: PhotographAnalysis
    worth: Floats
    colours: Floats
    skin: Mask


@dataclass(frozen=True)
class FurtherPhotograph:
    """A photograph, fitted.

    z       its expression, pose and gaze
    offset  (V, 3) how the head at rest differs from the first photograph's, so that its landmarks lie as they were seen [dm]
    picture (S, S, 3) the crop, in the first photograph's light and colours
    uv      (V, 2) each vertex's place in it
    residual_dm  how far the face lies from the first photograph's head, in the mean
    unlike  what is left of the colours' difference, |log ratio|
    """

    z: Coefficients
    offset: Floats
    picture: Picture
    uv: Floats
    shown: ShownHead
    residual_dm: float
    unlike: float

    def places(self, expression: Floats, out: Floats) -> None:
        """Where the photograph shows each vertex, for a motion with this β: ``uv``, written into ``out`` (V, 2). A lip that has
        the mouth's inside beside it takes surer skin when the mouth moves."""
        lips = self.shown.analysis.lips
        out[:] = self.uv
        out[lips] += self._mouth_moved(expression) * (self.shown.analysis.stretched[lips] - self.uv[lips])

    def _mouth_moved(self, expression: Floats) -> np.float32:
        change = np.abs((expression - self.z.expression)[MOUTH_COEFFICIENTS]).max()
        return np.float32(min(change / LIPS_PART, 1))

    def worth(self, expression: Floats, lids: Sequence[NDArray[np.intp]]) -> Floats:
        """(V,) 0…1 for a motion with this β. The inside of a mouth is shown only as far as its jaw hangs as the photograph's, and
        the vertices of ``lids``, left and right, as far as they close no farther than they do there."""
        analysis, own = self.shown.analysis, self.z.expression
        dropped = min(abs(float(expression[JAW_OPEN] - own[JAW_OPEN])) / JAW_DROPS, 1.0) if analysis.mouth_open else 1.0
        worth = np.asarray(self.shown.worth * (1 - dropped * analysis.fading), np.float32)
        worth[analysis.walls] *= 1 - self._mouth_moved(expression)
        closing = (expression[BLINKS] - own[BLINKS]) / np.maximum(1 - own[BLINKS], 0.1)
        for vertices, share in zip(lids, 1 - smooth_step(closing, 0, TAKEN_UP), strict=True):
            worth[vertices] *= share
        return worth


def show_head(head: PersonalHead, z: Coefficients, crop: Picture, renderer: Renderer) -> ShownHead:
    """What the crop (S, S, 3) shows of a head that was fitted to it."""
    placed, screen = placed_vertices(head, z)
    analysis = analyse_photograph(head, placed, screen, renderer)
    model = head.model
    on_skin = vertices_of(model.triangles[model.part == Part.SKIN], len(screen))
    seen = (analysis.uv == screen[:, :2]).all(1)
    skin_worth = smooth_step(analysis.facing, *FACING) * np.where(seen, 1, HIDDEN)
    worth = np.where(on_skin, skin_worth, 1 - analysis.unseen).astype(np.float32)
    well = on_skin & seen & (analysis.facing > WELL_SEEN)
    return ShownHead(screen, analysis, worth, vertex_colours(crop, screen), well)


def eye_openings(face: Face) -> Floats:
    """(2,) heights of the left and of the right eye's opening, in widths of the eye."""
    points = face.landmarks[:, :2]
    heights = [np.linalg.norm(points[list(upper)].mean(0) - points[list(lower)].mean(0)) for upper, lower in LID_MIDDLES]
    widths = [np.linalg.norm(points[inner] - points[outer]) for inner, outer in EYE_CORNERS]
    return np.asarray(heights, np.float32) / np.maximum(widths, 1e-3)


class FurtherFitter:
    """Fits further photographs to the head that was fitted to the first one."""

    def __init__(self, fit: Fit, face: Face, crop: Picture) -> None:
        """``fit`` to the ``face`` in the first photograph's crop (S, S, 3)."""
        self._fit, self._size = fit, len(crop)
        self._person = SamePerson(fit, face)
        self._first = show_head(fit.head, fit.coefficients, crop, create_renderer("cpu", self._size))
        self._openings = eye_openings(face)
        self._in_face = face_regions(fit.head.model).sum(0) > IN_FACE

    def fit(self, photograph: FaceInPhotograph) -> FurtherPhotograph:
        """About a third of a second."""
        head, model, crop, size = self._fit.head, self._fit.head.model, photograph.crop, self._size
        z = self._person.coefficients(photograph.face)
        blinks = np.where(eye_openings(photograph.face) < SHUT_OPENING * self._openings, 1, z.expression[BLINKS])
        z = replace(z, expression=np.concatenate([z.expression[: BLINKS.start], blinks, z.expression[BLINKS.stop :]]))
        seen = observed(photograph.face, Square(size / 2, size / 2, size))
        if z.expression[BLINKS].mean() < SHUT:
            seen = with_lashes(seen)
        offset = personal_offset(model, np.asarray(model.landmarks(head.shape(z.expression, z.gaze)), np.float32), seen, z.pose)
        renderer = create_renderer("cpu", size)
        shown = show_head(PersonalHead(model, head.rest + offset), z, crop, renderer)
        match = match_colours(model, shown.colours, self._first.colours, self._first.skin & shown.skin & self._in_face)
        picture = recoloured(crop, match.gain, shown.screen, model, renderer)
        residual_dm = float(np.linalg.norm(offset[self._in_face], axis=1).mean())
        return FurtherPhotograph(z, offset, picture, shown.analysis.uv, shown, residual_dm, match.residual)
