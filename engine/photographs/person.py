"""A person as several photographs show them: a head that moves as theirs, and pictures blended of what each photograph shows.

The first photograph is the face at rest. Where a motion leaves it, the further ones take over, the more the nearer they are to
what is wanted: in the shape, by what of their landmarks the head model's expressions cannot say, and in the picture, by their
own pixels, brought to the first one's light. With the first one's own expression nothing of them is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.head import PersonalHead
from engine.photographs.blend import VALUES, Blender, packed
from engine.photographs.further import FurtherPhotograph, show_head
from engine.photographs.regions import face_regions, movement_metric
from engine.photographs.weights import PhotographWeights
from engine.ramps import smooth_step
from engine.regress.portrait import Fit
from engine.render import create_renderer
from engine.values import Coefficients, Floats, Picture
from engine.warp.prior import Prior
from engine.warp.source import SourceGeometry

FRONTAL = (0.15, 0.45)  # turn away from the first photograph [rad] up to which, and from which, shape is, and is not, learned
NEGLIGIBLE = 1e-4  # share of an offset, which is a millimetre or two: not to be seen
DRAWN_FROM = 1 / 128  # share of a photograph in some region, below which it is not drawn


@dataclass(frozen=True, eq=False)
class ExpressiveHead(PersonalHead):
    """A personal head whose expressions are the person's own where photographs show them.

    weights of 1 + N photographs · regions (3, V) · offsets (N, V·3), what is added to ``rest`` for each [dm]
    """

    weights: PhotographWeights
    regions: Floats
    offsets: Floats

    def shape(self, expression: Floats, gaze: Floats, out: Floats | None = None) -> Floats:
        """See ``PersonalHead.shape``."""
        out = super().shape(expression, gaze, out)
        shares = self.weights.shape(expression, gaze)[:, 1:].astype(np.float32)
        for offset, share in zip(self.offsets, shares.T, strict=True):
            if share.max() > NEGLIGIBLE:
                out += (share @ self.regions)[:, None] * offset
        return out


class PersonPhotographs:
    """The first photograph's geometry, made expressive by the further ones, and what they show. One object serves one thread."""

    def __init__(self, fit: Fit, crop: Picture, further: Sequence[FurtherPhotograph]) -> None:
        """``fit`` of the first photograph's crop (S, S, 3)."""
        model, own = fit.head.model, fit.coefficients
        self.further = tuple(further)
        self._regions = face_regions(model)
        self._weights = PhotographWeights.of(movement_metric(model, self._regions), [own, *(one.z for one in further)])
        learned = [smooth_step(np.asarray(np.linalg.norm(one.z.pose[:2] - own.pose[:2])), *FRONTAL[::-1]) for one in further]
        offsets = np.stack([share * one.offset for share, one in zip(learned, further, strict=True)]).astype(np.float32)
        head = ExpressiveHead(model, fit.head.rest, self._weights, self._regions, offsets)
        self.geometry = SourceGeometry(head, own, fit.albedo, crop)
        self._first = show_head(fit.head, own, crop, create_renderer("cpu", len(crop)))
        self._packed = np.stack([packed(one.picture) for one in further])
        self._values = np.empty((len(self._first.worth), 1 + VALUES * len(further)), np.float32)
        self._in_face = np.nonzero(self._regions.sum(0) > 0)[0]
        rasteriser = self.geometry.rasteriser
        self._blender = Blender(rasteriser.triangles, rasteriser.heads, len(further))

    def draw(self, picture: Picture, z: Coefficients, prior: Prior) -> None:
        """Changes the picture (S, S, 3) of z_des, as the first photograph gives it, to what the further ones show of it;
        ``prior`` is the one that ``geometry`` gave of z_des last."""
        shares = self._weights.picture(z)
        drawn = np.nonzero(shares[:, 1:].max(0) > DRAWN_FROM)[0]
        if not len(drawn):
            return
        lids = self.geometry.lid_vertices
        values = self._values[:, : 1 + VALUES * len(drawn)]
        on_skin = self._first.analysis.fading == 0
        np.subtract(1, (1 - shares[:, 0]) @ self._regions, out=values[:, 0])
        values[on_skin, 0] *= self._first.worth[on_skin]
        for column, number in enumerate(drawn):
            one, at = self.further[number], 1 + VALUES * column
            one.places(z.expression, values[:, at : at + 2])
            values[:, at + 2] = (shares[:, 1 + number] @ self._regions) * one.worth(z.expression, lids)
        height = self.geometry.screen[self._in_face, 1]
        top, bottom = ((float(end) + 1) * len(picture) / 2 for end in (height.min(), height.max()))
        rows = (max(int(top) - 1, 0), min(int(bottom) + 2, len(picture)))
        raster, numbers = self.geometry.rasteriser.raster, drawn.astype(np.int32)
        self._blender.blend(picture, raster, values, self._packed, numbers, prior.render_weight, rows)
