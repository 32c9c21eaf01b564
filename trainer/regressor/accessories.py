"""Spectacles and beards, drawn onto a face crop where its landmarks say: what the labels say of lids and lips stays true."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from engine.landmark_indices import BEARD, EYE_CORNERS, GOATEE, MOUSTACHE, OUTER_LIPS
from engine.values import Floats, Picture

NOSE_BASE, NOSE_TIP, TEMPLES = 2, 1, (127, 356)
NOSE_LENGTH = 1.45  # from the line of the eyes to the base of the nose, in half distances of the eyes
BEFORE_THE_EYES = 0.4  # how far lenses stand out, as a part of how far the tip of the nose does
SHIFT_BITS = 4  # cv2 draws in sixteenths of a pixel
FRAME_COLOURS = ((22, 20, 20), (45, 32, 24), (88, 58, 34), (120, 118, 116), (160, 130, 80), (70, 20, 24), (24, 30, 70))


@dataclass(frozen=True)
class EyePlane:
    """The plane of the eyes in a picture: place of (x, y) is origin + x · across + y · down [px], the eyes' middles at x = ±1."""

    origin: Floats
    across: Floats
    down: Floats

    def points(self, flat: Floats) -> Floats:
        """(N, 2) → (N, 2) pixels."""
        return np.asarray(self.origin + flat[:, :1] * self.across + flat[:, 1:] * self.down, np.float32)

    @property
    def unit_px(self) -> float:
        """Half the distance of the eyes, as if they were seen from the front."""
        return max(float(np.linalg.norm(self.across)), float(np.linalg.norm(self.down)))


def plane_of_lenses(landmarks_px: Floats) -> EyePlane:
    """From (478, 2) landmarks: through the corners of the eyes, and before them as far as the tip of the nose tells."""
    left, right = (landmarks_px[list(corners)].mean(0) for corners in EYE_CORNERS)
    middle, across = (left + right) / 2, (left - right) / 2
    down = (landmarks_px[NOSE_BASE] - middle) / NOSE_LENGTH
    across_direction = across / max(float(np.linalg.norm(across)), 1e-3)
    sideways = float((landmarks_px[NOSE_TIP] - middle) @ across_direction)
    return EyePlane(middle + BEFORE_THE_EYES * sideways * across_direction, across, down)


def with_spectacles(image: Picture, landmarks_px: Floats, rng: np.random.Generator) -> Picture:
    """(S, S, 3) with spectacles of some shape, thickness and colour, at times tinted and with reflections."""
    plane = plane_of_lenses(landmarks_px)
    half, roundness, drop = rng.uniform([0.66, 0.42], [0.92, 0.8]), rng.uniform(2, 5), rng.uniform(-0.05, 0.25)
    rims = [plane.points(_lens((side, drop), half, roundness)) for side in (-1.0, 1.0)]
    out = _with_glass(image, rims, plane, rng)

    colour = np.array(FRAME_COLOURS[int(rng.integers(len(FRAME_COLOURS)))]) * rng.uniform(0.6, 1.2)
    thickness = max(1, round(float(rng.uniform(0.03, 0.1)) * plane.unit_px))
    bridge = plane.points(np.array([[half[0] - 1, drop - 0.12], [0, drop - 0.22], [1 - half[0], drop - 0.12]]))
    lines = [*rims, bridge, *_temples(plane, landmarks_px, half[0], drop)]
    drawn = out.copy()
    for line, closed in zip(lines, [True, True, *[False] * (len(lines) - 2)], strict=True):
        cv2.polylines(drawn, [_fixed(line)], closed, colour.tolist(), thickness, cv2.LINE_AA, SHIFT_BITS)
    return np.asarray(cv2.addWeighted(drawn, solid := float(rng.uniform(0.75, 1)), out, 1 - solid, 0), np.uint8)


def with_beard(image: Picture, landmarks_px: Floats, rng: np.random.Generator) -> Picture:
    """(S, S, 3) with stubble, moustache, goatee or a full beard; the lips stay free."""
    outlines = ((BEARD,), (MOUSTACHE,), (GOATEE,), (GOATEE, MOUSTACHE))[int(rng.integers(4))]
    mask = np.zeros(image.shape[:2], np.uint8)
    for outline in outlines:
        cv2.fillPoly(mask, [_fixed(landmarks_px[list(outline)])], 255, cv2.LINE_AA, SHIFT_BITS)
    soft = cv2.GaussianBlur(mask, (0, 0), rng.uniform(1, 3) * image.shape[0] / 160)
    lips = np.zeros_like(mask)
    cv2.fillPoly(lips, [_fixed(landmarks_px[list(OUTER_LIPS)])], 255, cv2.LINE_AA, SHIFT_BITS)
    strands = cv2.GaussianBlur(rng.standard_normal(mask.shape, np.float32), (3, 7), sigmaX=0.6, sigmaY=1.5)
    alpha = soft * (255.0 - lips) / 255**2 * np.clip(rng.uniform(0.2, 0.95) + 0.5 * strands, 0, 1)
    hair = np.array([70, 52, 40]) * rng.uniform(0.2, 1.0) if rng.random() < 0.75 else np.full(3, rng.uniform(110, 200))
    textured = hair * (1 + 0.5 * strands[..., None])
    return np.asarray((image + alpha[..., None] * (textured - image)).clip(0, 255), np.uint8)


def _lens(centre: tuple[float, float], half: Floats, roundness: float) -> Floats:
    """(32, 2) outline of a superellipse."""
    angle = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    unit = np.stack([np.cos(angle), np.sin(angle)], 1)
    return np.asarray(np.sign(unit) * np.abs(unit) ** (2 / roundness) * half + centre, np.float32)


def _temples(plane: EyePlane, landmarks_px: Floats, half: float, drop: float) -> list[Floats]:
    """From the outer ends of the rims to the temples, where those are not hidden behind the face."""
    ends = plane.points(np.array([[-1 - half, drop - 0.15], [1 + half, drop - 0.15]]))
    lines = []
    for end, temple, outward in zip(ends, landmarks_px[list(TEMPLES)], (-plane.across, plane.across), strict=True):
        if float((temple - end) @ outward) > 0:
            lines.append(np.stack([end, temple]))
    return lines


def _with_glass(image: Picture, rims: list[Floats], plane: EyePlane, rng: np.random.Generator) -> Picture:
    """A tint, and what windows and screens leave on the glass."""
    glass = np.zeros(image.shape[:2], np.uint8)
    cv2.fillPoly(glass, [_fixed(rim) for rim in rims], 255, cv2.LINE_AA, SHIFT_BITS)
    inside = glass[..., None] / np.float32(255)
    out = image * (1 - inside * np.float32(rng.uniform(0, 0.2)))
    if rng.random() < 0.5:
        shine = np.zeros(image.shape[:2], np.uint8)
        place, size = rng.uniform(-0.5, 0.4, 2), rng.uniform(0.1, 0.6, 2)
        corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * size + place + rng.normal(0, 0.06, (4, 2))
        for side in (-1.0, 1.0):
            cv2.fillPoly(shine, [_fixed(plane.points(corners + np.array([side, 0.0])))], 255, cv2.LINE_AA, SHIFT_BITS)
        soft = cv2.GaussianBlur(shine, (0, 0), rng.uniform(0.4, 3))[..., None] / np.float32(255)
        out = out + inside * soft * np.float32(rng.uniform(0.1, 0.8)) * (rng.uniform(200, 255, 3).astype(np.float32) - out)
    return np.asarray(out.clip(0, 255), np.uint8)


def _fixed(points: Floats) -> np.ndarray[tuple[int, ...], np.dtype[np.int32]]:
    """Pixels, edges at 0 and S → cv2's fixed-point coordinates of pixel centres."""
    return np.asarray(np.round((points - 0.5) * (1 << SHIFT_BITS)), np.int32)
