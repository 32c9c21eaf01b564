"""A person without their background: how much of each pixel is theirs, and its colour without what shone through."""

from __future__ import annotations

import cv2
import numpy as np

from engine.fill import fill
from engine.ramps import smooth_step
from engine.values import Floats, Picture

PERSON = 0.15  # share of person from which a pixel may be theirs
GUIDE_RADIUS, GUIDE_EPS = 12, 1e-5  # of the guided filter, on 512 px and colours 0…1
SHARE = (0.25, 0.8)  # of the filtered matte: below it nothing is the person's, above it all
PURE = (0.7, 1.0)  # of the alpha: below it a pixel takes the colour of those inside, above it its own


def person_alpha(picture: Picture, soft: Floats, place: tuple[float, float]) -> Floats:
    """(H, W) 0…1, how much of each pixel is the person at ``place`` (x, y); ``soft`` is a coarse matte of all people.

    The coarse matte is drawn to the picture's own edges (He et al., Guided image filtering, eq. 5–8).
    """
    person = (soft > PERSON).astype(np.uint8)
    _, labels = cv2.connectedComponents(person)
    x, y = (min(max(round(at), 0), size - 1) for at, size in zip(place, (picture.shape[1], picture.shape[0]), strict=True))
    own = cv2.dilate((labels == labels[y, x]).astype(np.uint8), np.ones((5, 5), np.uint8)) if labels[y, x] else person
    guided = cv2.ximgproc.guidedFilter(picture.astype(np.float32) / 255, np.minimum(soft, own), GUIDE_RADIUS, GUIDE_EPS)
    return smooth_step(np.asarray(guided, np.float32), *SHARE)


def pure_colours(picture: Picture, alpha: Floats) -> Picture:
    """(H, W, 3): the picture, in which pixels that are only partly the person's take the person's colour beside them."""
    inside = cv2.erode((alpha > 0.97).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    if not inside.any():
        return picture
    own = smooth_step(alpha, *PURE)[..., None]
    return np.asarray(picture * own + fill(picture, inside) * (1 - own) + 0.5, np.uint8)
