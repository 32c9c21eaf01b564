"""Colours of a mouth's inside that suit a photograph: those of the head model are a healthy mouth's in white light.

They are taken from the teeth that the photograph shows. Where it shows none, the whites of its eyes have the tint, and no tooth
is brighter than they or, for lids throw shadows, than white would be in the skin's light.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from engine.head import HeadModel, Part
from engine.landmark_indices import (
    INNER_LIP_RIMS,
    LEFT_IRIS,
    LEFT_LID_RIMS,
    OUTER_LIPS,
    RIGHT_IRIS,
    RIGHT_LID_RIMS,
    STEADY_POINTS,
)
from engine.render.lighting import harmonics
from engine.values import Floats, Mask, Picture

LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)  # of sRGB values (BT.601)
INSIDE = (Part.UPPER_TEETH, Part.LOWER_TEETH, Part.TONGUE, Part.MOUTH)
TEETH = INSIDE[:2]
BRIGHT = 80.0  # percentile of luminance, among whites and among teeth, that is not in the lids' or the lips' shadow
REFLECTING = 98.0  # the same, above which it is a reflection
BESIDE_IRIS = 1.15  # radii of the iris: what is nearer to its centre is not surely white
LEAST_WHITE_PX, LEAST_TEETH_PX = 12, 60  # of a face of ``FACE_PX``; from fewer nothing is learned
FACE_PX = 256.0  # between forehead and chin, of which the numbers of pixels are told
LEAST_WHITE = 0.6  # of the skin's luminance; what is darker, spectacles or shadow, is not the white of an eye
WHITE_OF_SKIN = 1.15  # luminance of a white in the skin's light, at least; photographed teeth have 1.25 to 1.8 of the skin's
TOOTH_OF_WHITE, TOOTH_OF_LIPS = 0.55, 1.25  # the least luminance of a tooth, by that of the eyes' white and of the lips
TOOTH_SATURATION = 0.3  # 1 − least / greatest channel, in the light of the picture: lips and tongue have more
SKIN_SATURATION = 0.2  # the same of skin in a picture in full colour, from which on colours are the model's
WHITE_SATURATION = 0.8  # of the skin's; what is darker than skin and has more colour than this is lid, not the white of an eye
REDDENED = 0.5  # of the colour cast of the eyes' white that is the lids' and not the light's, in a picture in full colour
GAIN = (0.2, 1.5)  # of the model's luminance
LEAST_IRRADIANCE = 0.05
FRONT = 0.5  # cosine between normal and the camera's axis of the teeth by which brightness is told
CIRCLE = np.linspace(0, 2 * np.pi, 32, endpoint=False)  # angles [rad]
GREY = 0.01  # between greatest and least channel of skin in a picture without colour


def mouth_colours(
    head: HeadModel, albedo: Floats, normals: Floats, illumination: Floats, points: Floats, crop: Picture
) -> Floats:
    """The albedo (V, 3), changed where it is the mouth's inside so that, in the light (27,) γ, it suits the photograph.

    normals (V, 3) in camera space at rest; points (478, 2+) the tracker's [px] of the crop (S, S, 3).
    """
    inside = np.unique(head.triangles[np.isin(head.part, INSIDE)])
    inside = np.setdiff1d(inside, head.triangles[head.part == Part.SKIN])
    teeth = np.isin(inside, head.triangles[np.isin(head.part, TEETH)])
    light = np.maximum(harmonics(normals[inside]) @ illumination.reshape(9, 3), LEAST_IRRADIANCE)
    shown = _shown(crop, points, light.mean(0))
    own, grey = albedo[inside], albedo[inside] @ LUMINANCE
    lit = grey * (light @ LUMINANCE)
    brightest = int(np.argmax(np.where(teeth & (normals[inside, 2] > FRONT), lit, 0)))
    pale = grey[:, None] + shown.colour * (own - grey[:, None])
    if shown.teeth is None:
        tint, bound = shown.white ** (1 - REDDENED * shown.colour), float(shown.white @ LUMINANCE)
        gain = min(1.0, bound / lit[brightest])
    else:
        tint, bound = shown.teeth / pale[brightest], float(shown.teeth @ LUMINANCE)
        gain = bound / lit[brightest]
    tinted = pale * (tint / (tint @ LUMINANCE)) * (light @ LUMINANCE)[:, None]
    # of gums and tongue the skin's light says more than white does
    share = np.where(teeth, 0, shown.colour)[:, None]
    colours = (tinted + share * (own * light - tinted)) * np.clip(gain, *GAIN)
    colours *= np.where(teeth, bound / np.maximum(colours @ LUMINANCE, bound), 1)[:, None]
    out = albedo.copy()
    out[inside] = colours / light
    return out


@dataclass(frozen=True)
class _Shown:
    """What a photograph shows: white (3,) 0…1 the eyes', teeth (3,) or None, colour 0…1 how much colour there is in it."""

    white: Floats
    teeth: Floats | None
    colour: float


def _shown(crop: Picture, points: Floats, light: Floats) -> _Shown:
    """Where a crop (S, S, 3) shows no eye's white, that has the colour of ``light`` (3,)."""
    points = points[:, :2]
    pixels = (float(np.ptp(points[:, 1])) / FACE_PX) ** 2
    face = np.asarray(cv2.convexHull(points[list(STEADY_POINTS)])[:, 0], np.float32)
    skin = np.median(_colours(crop, _within(face, crop)), 0)
    white = _eye_white(crop, points, pixels)
    if white is None or not _may_be_white(white, skin):
        white = light if np.ptp(skin) >= GREY else np.ones(3, np.float32)
        white = white / (white @ LUMINANCE) * (skin @ LUMINANCE)
    white = np.maximum(white, 1 / 255)
    white = np.clip(white * max(1.0, float(WHITE_OF_SKIN * (skin @ LUMINANCE) / (white @ LUMINANCE))), 0, 1)
    upper, lower = INNER_LIP_RIMS
    mouth = _within(points[[*upper, *lower[::-1]]], crop)
    lips, inner = _colours(crop, _within(points[list(OUTER_LIPS)], crop) & ~mouth), _colours(crop, mouth)
    of_lips = float(np.median(lips @ LUMINANCE)) if len(lips) else 0.0
    least = max(TOOTH_OF_WHITE * float(white @ LUMINANCE), TOOTH_OF_LIPS * of_lips)
    teeth = inner[(inner @ LUMINANCE > least) & (_saturation(inner / white) < TOOTH_SATURATION)]
    tooth = _bright(teeth) if len(teeth) >= LEAST_TEETH_PX * pixels else None
    colour = float(np.clip(_saturation(skin / (white if tooth is None else tooth)) / SKIN_SATURATION, 0, 1))
    return _Shown(white, tooth, colour)


def _may_be_white(white: Floats, skin: Floats) -> bool:
    """Whether that colour (3,) is the white of an eye, beside that of the skin (3,)."""
    brighter = float(white @ LUMINANCE) / max(float(skin @ LUMINANCE), 1 / 255)
    pale = bool(_saturation(white) < WHITE_SATURATION * _saturation(skin))
    return brighter >= 1 or (brighter >= LEAST_WHITE and (pale or bool(np.ptp(skin) < GREY)))


def _eye_white(crop: Picture, points: Floats, pixels: float) -> Floats | None:
    """(3,) the white of the eyes where it is bright; None where they are shut or hardly seen."""
    seen = np.zeros(crop.shape[:2], bool)
    for (upper, lower), iris in ((LEFT_LID_RIMS, LEFT_IRIS), (RIGHT_LID_RIMS, RIGHT_IRIS)):
        centre, *rim = points[iris]
        radius = BESIDE_IRIS * float(np.linalg.norm(rim - centre, axis=1).mean())
        around = centre + radius * np.stack([np.cos(CIRCLE), np.sin(CIRCLE)], 1)
        seen |= _within(points[[*upper, *lower[::-1]]], crop) & ~_within(around, crop, thinner=0)
    return _bright(_colours(crop, seen)) if np.count_nonzero(seen) >= LEAST_WHITE_PX * pixels else None


def _within(edge: Floats, crop: Picture, thinner: int = 1) -> Mask:
    """(S, S) what lies inside a polygon (K, 2) [px], but for ``thinner`` pixels along its edge."""
    inside = np.zeros(crop.shape[:2], np.uint8)
    cv2.fillPoly(inside, [edge.round().astype(np.int32)], (1,))
    return np.asarray(cv2.erode(inside, np.ones((3, 3), np.uint8), iterations=thinner) > 0)


def _colours(crop: Picture, which: Mask) -> Floats:
    """(N, 3) 0…1."""
    return np.asarray(crop[which], np.float32) / 255


def _bright(colours: Floats) -> Floats:
    """(3,) the mean of those colours (N, 3) that are at least as bright as the percentile ``BRIGHT``, but for the very brightest,
    which are reflections."""
    luminance = colours @ LUMINANCE
    low, high = np.percentile(luminance, [BRIGHT, REFLECTING])
    return np.asarray(colours[(luminance >= low) & (luminance <= high)].mean(0))


def _saturation(colours: Floats) -> Floats:
    """(..., 3) → (...) 1 − least / greatest channel."""
    least, greatest = np.min(colours, -1), np.max(colours, -1)
    return np.asarray(1 - least / np.maximum(greatest, np.float32(1 / 255)))
