"""Upper lids on their way down: skin that was not to be seen, and the lash line at its edge.

Of an open eye's upper lid a photograph shows a few pixels, often with lashes, a shadow or the rim of spectacles across them. To
stretch them over the whole eye would make a comb of lashes and bend the rim. So above the open eye a lid that shuts shows the
photograph as it is, which stays where it is; over the eye skin that continues the skin around it (``fill``), in the colours of
the mesh; and at its edge a line as dark as the photograph's own lashes.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.conventions import place, project
from engine.fill import fill
from engine.head import Part, PersonalHead
from engine.landmark_indices import LEFT_LID_RIMS, RIGHT_LID_RIMS
from engine.ramps import smooth_step
from engine.sampling import sample
from engine.values import BLINKS, Coefficients, Floats, Picture

LID_DM = 0.012  # what a blink moves by less is no lid
TALL_DM, BESIDE_DM = 0.14, 0.03  # so far above its edge and beside its corners lashes may hang before the skin
LASH_LINE_DM = (0.016, 0.034)  # height above a lid's edge where its lashes begin to end, and where they have
LASHES, BELOW = 0.3, 0.15  # height of what belongs to the eye above and below its opening, in openings
LONG_LASHES = 0.75  # the same of what hangs together with that, and is no skin
LEAST_PX = 2.0  # of the same, of 512
LIKE_SKIN, CREASE = 40.0, 20.0  # distance from the typical colour around an eye [levels]: what is farther is rim, brow, glare
DARKEST, LASH_SHADE = 15, 0.5  # percentile of the brightness along the lid's edge, and of the skin's: the lash line's colour
ROUND_DM, EDGE_SHADE, FRONT_SHADE = 0.07, 0.93, 0.1  # height of a lid's roundness; how bright its edges are, and its front more
GRAIN_FROM, GRAIN_PX = 2.0, 5.0  # openings down to the skin whose grain a lid takes, and what is too coarse for it [of 512]
EVEN = 0.5  # of the way from the colours beside an eye, which are often its shadows, to the typical colour around it
BLEND_PX = 2.5  # over which a lid goes over into the skin around it [of 512]
TAKEN_UP = 0.3  # share of the way from open to shut within which the lid changes from what it shows at rest


@dataclass(frozen=True)
class Lid:
    """One upper lid: vertices (K,), where the photograph has them when the eye is as it shows it, and shut, (K, 2) [crop units],
    and how much each belongs to the lash line (K,) 0…1, whose ``colour`` is (3,) 0…255; how bright each is (K,), by the lid's
    roundness; and from where the lid takes its grain, (2,) from each place [crop units]."""

    vertices: NDArray[np.intp]
    own: Floats
    shut: Floats
    lashes: Floats
    colour: Floats
    shade: Floats
    cheek: Floats


@dataclass(frozen=True)
class Lids:
    """The left and the right upper lid. ``skin`` (S, S, 4): the photograph's colours with the eyes filled in, and 0…1 how far a
    place belongs to an open eye; ``grain`` (S, S, 3) what is fine in the photograph, where it is skin [levels]."""

    lids: tuple[Lid, Lid]
    skin: Floats
    grain: Floats

    def draw(self, attributes: Floats, source: Coefficients, z: Coefficients) -> Floats:
        """Changes place, render weight and colour, in attributes (V, 6), of lids that z shuts farther than the ``source`` has;
        (2,) how far it did, 0…1."""
        own = source.expression[BLINKS]
        closing = np.clip((z.expression[BLINKS] - own) / np.maximum(1 - own, 0.1), 0, 1)
        drawn = smooth_step(closing / TAKEN_UP)
        for lid, share, taken_up in zip(self.lids, closing, drawn, strict=True):
            if taken_up == 0:
                continue
            where = lid.own + share * (lid.shut - lid.own)
            found = sample(self.skin, where[None])[0]
            at = attributes[lid.vertices]
            skin = found[:, :3] * lid.shade[:, None] + sample(self.grain, (where + lid.cheek)[None])[0]
            colour = np.clip(skin + lid.lashes[:, None] * (lid.colour - skin), 0, 255)
            at[:, :2] += taken_up * (where - at[:, :2])
            at[:, 2] = taken_up * np.maximum(found[:, 3], lid.lashes)
            at[:, 3:] += taken_up * (colour - at[:, 3:])
            attributes[lid.vertices] = at
        return drawn


def lids_of(head: PersonalHead, source: Coefficients, screen: Floats, photo: Picture) -> Lids:
    """From the head's vertices as the photograph (S, S, 3) shows them, (V, 3) on the screen."""
    model, size = head.model, len(photo)
    seen = (model.landmarks(screen)[:, :2] + 1) * (size / 2)
    rims = [[seen[list(rim)] for rim in both] for both in (LEFT_LID_RIMS, RIGHT_LID_RIMS)]
    soft = cv2.GaussianBlur(photo, (0, 0), size / 512).astype(np.float32)
    near = _eyes(rims, size, LASHES)
    typical = [_typical_skin(soft, near, *both) for both in rims]
    skin_like = _skin_like(soft, typical, LIKE_SKIN)
    eye = _connected(near | (_eyes(rims, size, LONG_LASHES) & ~_skin_like(soft, typical, CREASE)), near)
    filled = fill(soft, cv2.erode(((eye == 0) & skin_like).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0)
    filled = np.where(eye[..., None] > 0, filled + EVEN * (_nearest(typical, rims, size) - filled), soft)
    wide = cv2.dilate(eye, np.ones((3, 3), np.uint8)).astype(np.float32)
    belongs = cv2.GaussianBlur(wide, (0, 0), BLEND_PX * size / 512)
    grain = (soft - cv2.GaussianBlur(soft, (0, 0), GRAIN_PX * size / 512)) * (skin_like & (belongs < 0.01))[..., None]
    skin = np.concatenate([filled, belongs[..., None]], 2).astype(np.float32)
    closed = source.expression.copy()
    closed[BLINKS] = 1
    shut = project(place(head.shape(closed, source.gaze), source.pose))[:, :2]
    left, right = (
        _lid(head, k, screen, shut, _lash_colour(soft, upper, skin_colour), -GRAIN_FROM * (2 / size) * _opening(upper, lower))
        for k, ((upper, lower), skin_colour) in enumerate(zip(rims, typical, strict=True))
    )
    return Lids((left, right), skin, grain.astype(np.float32))


def _lid(head: PersonalHead, number: int, screen: Floats, shut: Floats, colour: Floats, cheek: Floats) -> Lid:
    model = head.model
    blink = model.expression_basis[BLINKS][number]
    points = model.landmarks(model.mean_shape)
    rim = points[list((LEFT_LID_RIMS, RIGHT_LID_RIMS)[number][0])]
    rim = rim[np.argsort(rim[:, 0])]
    x, y, z = model.mean_shape.T
    height = y - np.interp(x, rim[:, 0], rim[:, 1])
    beside = (rim[0, 0] - BESIDE_DM < x) & (x < rim[-1, 0] + BESIDE_DM) & (z > 0.5 * rim[:, 2].max())
    over = beside & (height > 0) & (height < TALL_DM) & np.isin(np.arange(len(x)), model.triangles[model.part == Part.SKIN])
    vertices = np.nonzero((blink[:, 1] < -LID_DM) | over)[0]
    height = height[vertices]
    low, high = LASH_LINE_DM
    lashes = np.clip((high - height) / (high - low), 0, 1).astype(np.float32)
    middle, half = (rim[0, 0] + rim[-1, 0]) / 2, (rim[-1, 0] - rim[0, 0]) / 2
    lashes *= np.sqrt(np.clip(1 - ((x[vertices] - middle) / half) ** 2, 0, 1))  # they taper toward the corners
    shade = EDGE_SHADE + FRONT_SHADE * np.sin(np.pi * np.clip(height / ROUND_DM, 0, 1))
    return Lid(vertices, screen[vertices, :2], shut[vertices], lashes, colour, shade.astype(np.float32), cheek)


def _eyes(rims: list[list[Floats]], size: int, above: float) -> Picture:
    """(S, S) 1 in what belongs to open eyes: between their rims (9, 2) [px], below, and ``above`` as many openings."""
    out = np.zeros((size, size), np.uint8)
    for upper, lower in rims:
        up = _opening(upper, lower)
        least = LEAST_PX * size / 512 / max(float(np.linalg.norm(up)), 1e-3)
        raised, lowered = upper + max(above, least) * up, lower - max(BELOW, least) * up
        outline = np.concatenate([upper[:1], raised[1:-1], upper[-1:], lowered[-2:0:-1]])
        cv2.fillPoly(out, [outline.round().astype(np.int32)], (1,))
    return out


def _connected(mask: Picture, start: Picture) -> Picture:
    """(S, S) the parts of a mask that hang together with ``start``, a pixel wider."""
    _, labels = cv2.connectedComponents(mask, connectivity=4)
    found = np.isin(labels, np.unique(labels[start > 0])) & (mask > 0)
    return np.asarray(cv2.dilate(found.astype(np.uint8), np.ones((3, 3), np.uint8)))


def _opening(upper: Floats, lower: Floats) -> Floats:
    """(2,) from the lower rim's middle to the upper's."""
    return np.asarray((upper[3:6] - lower[3:6]).mean(0), np.float32)


def _typical_skin(soft: Floats, eye: Picture, upper: Floats, lower: Floats) -> Floats:
    """(3,) the median colour around one eye."""
    ring = np.zeros_like(eye)
    middle, width = (upper[0] + upper[-1]) / 2, float(np.linalg.norm(upper[-1] - upper[0]))
    cv2.circle(ring, (round(float(middle[0])), round(float(middle[1]))), round(0.6 * width), (1,), -1)
    return np.asarray(np.median(soft[(ring > 0) & (eye == 0)], 0), np.float32)


def _skin_like(soft: Floats, typical: list[Floats], most: float) -> NDArray[np.bool_]:
    """(S, S) what has about the colour of the skin around an eye."""
    return np.asarray(np.min([np.linalg.norm(soft - colour, axis=2) for colour in typical], 0) < most)


def _nearest(colours: list[Floats], rims: list[list[Floats]], size: int) -> Floats:
    """(1, S, 3) of each column the colour of the nearer eye."""
    middles = [float(upper[[0, -1], 0].mean()) for upper, _ in rims]
    nearer = np.abs(np.arange(size)[:, None] - middles).argmin(1)
    return np.asarray(np.stack(colours)[nearer][None], np.float32)


def _lash_colour(soft: Floats, upper: Floats, skin: Floats) -> Floats:
    """(3,) the darkest along an upper rim, and not brighter than a shade of the ``skin``."""
    places = upper[None, 1:-1] + np.linspace(-2, 1, 7)[:, None, None] * [0, len(soft) / 512]
    found = sample(soft, (places * (2 / len(soft)) - 1).astype(np.float32)).reshape(-1, 3)
    dark = found[found.mean(1) <= np.percentile(found.mean(1), DARKEST)].mean(0)
    return np.asarray(dark * min(1.0, LASH_SHADE * float(skin.mean()) / max(float(dark.mean()), 1.0)), np.float32)
