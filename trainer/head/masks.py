"""Where on the head what colour lies: soft masks of regions."""

from __future__ import annotations

import numpy as np

from engine.head.parts import Part
from trainer.head.assembly import Assembly
from trainer.head.eyes import IRIS_RAD, PUPIL_RAD
from trainer.head.source import Doubles, Wheel

Masks = dict[str, Doubles]


def region_masks(wheel: Wheel, assembly: Assembly, shape: Doubles) -> Masks:
    """(V,) weights 0…1 by name, on the (V, 3) mean head in head coordinates."""
    masks = _painted(wheel, assembly)
    masks |= _from_position(assembly, shape, masks)
    masks |= _eyes(assembly)
    masks |= _mouth(assembly)
    return masks


def smooth(value: Doubles, low: float | Doubles, high: float | Doubles) -> Doubles:
    """0 below ``low``, 1 above ``high``, a smooth step between; ``low`` may be the greater one."""
    t = np.clip((value - low) / (high - low), 0, 1)
    step: Doubles = t * t * (3 - 2 * t)
    return step


def _painted(wheel: Wheel, assembly: Assembly) -> Masks:
    """Regions that MakeHuman's texture masks give, on the body's vertices."""
    masks = {}
    for name in ("lips", "eyelids", "inside-mouth", "ears"):
        masks[name] = np.zeros(len(assembly.follow))
        masks[name][: len(assembly.skin.first)] = assembly.skin.mix(wheel.region(name))
    masks["skin"] = np.zeros(len(assembly.follow))
    masks["skin"][: len(assembly.skin.first)] = 1 - masks["inside-mouth"][: len(assembly.skin.first)]
    masks["lips"] *= masks["skin"]
    masks["lash-line"] = 0.5 * masks.pop("eyelids")
    return masks


def _from_position(assembly: Assembly, shape: Doubles, masks: Masks) -> Masks:
    """Brows, cheeks, nose, hair and beard: measured from the eyes and the mouth of the mean head, in dm."""
    skin = masks["skin"] * (1 - masks["lips"])
    mirrored = np.concatenate([np.abs(shape[:, :1]), shape[:, 1:]], 1)
    front = skin * smooth(shape[:, 2], 0.35, 0.6)
    eye = mirrored[assembly.eye_centres].mean((0, 1))
    mouth = shape[masks["lips"] > 0.5].mean(0)
    hairline = shape[:, 1] - (eye[1] + 0.66) + 0.62 * (0.75 - shape[:, 2])
    return {
        "brows": front * _brow(mirrored, eye),
        "cheeks": front * _blob(mirrored, (eye[0] + 0.12, eye[1] - 0.42, 0.85), 0.22),
        "nose": skin * _blob(mirrored, (0.0, (eye[1] + mouth[1]) / 2 - 0.02, 1.2), 0.2),
        "under-eyes": front * _blob(mirrored, (eye[0] - 0.02, eye[1] - 0.17, 1.0), 0.09),
        "lids": front * _blob(mirrored, (eye[0], eye[1] + 0.07, 1.05), 0.13),
        "hair": skin * (1 - masks["ears"]) * smooth(hairline, -0.12, 0.2),
        "beard": skin * _beard(shape, mouth),
    }


def _brow(mirrored: Doubles, eye: Doubles) -> Doubles:
    """An arch over the eye, thinner outwards."""
    along = (mirrored[:, 0] - eye[0] + 0.17) / 0.42
    part = np.clip(along, 0, 1)
    arch = eye[1] + 0.20 + 0.05 * np.sin(part * 2.4) - 0.03 * part
    thick = 0.05 - 0.018 * part
    ends = smooth(along, -0.08, 0.08) * smooth(along, 1.05, 0.85)
    return smooth(np.abs(mirrored[:, 1] - arch), 1.5 * thick, 0.3 * thick) * ends


def _beard(shape: Doubles, mouth: Doubles) -> Doubles:
    """Around the mouth, over chin and jaw, down to the throat."""
    jaw = smooth(np.linalg.norm((shape - [0, mouth[1] - 0.05, 0.55]) * [1, 1, 0.4], axis=1), 0.75, 0.45)
    height = smooth(shape[:, 1], mouth[1] + 0.2, mouth[1] + 0.05) * smooth(shape[:, 1], mouth[1] - 0.75, mouth[1] - 0.5)
    return jaw * height * smooth(shape[:, 2], 0.0, 0.4)


def _blob(mirrored: Doubles, centre: tuple[float, float, float], radius: float) -> Doubles:
    """A soft ball, on both sides of the face."""
    weight: Doubles = np.exp(-0.5 * ((mirrored - centre) ** 2).sum(1) / radius**2)
    return weight


def _eyes(assembly: Assembly) -> Masks:
    """Rings around the pupil; the edges lie between doubled rings of vertices."""
    angle = np.full(len(assembly.follow), np.pi)
    start = 0
    for piece in assembly.pieces:
        if piece.part in (Part.EYE_LEFT, Part.EYE_RIGHT):
            angle[start : start + len(piece.place)] = piece.place[:, 0]
        start += len(piece.vertices)
    eye = angle < np.pi
    return {
        "sclera": (eye & (angle > IRIS_RAD)).astype(float),
        "iris": (eye & (angle > PUPIL_RAD) & (angle < IRIS_RAD)).astype(float),
        "pupil": (eye & (angle < PUPIL_RAD)).astype(float),
        "limbus": eye * np.exp(-(((angle - 0.98 * IRIS_RAD) / np.deg2rad(2.0)) ** 2)),
        "iris-inner": eye * (angle > PUPIL_RAD) * smooth(angle, 0.75 * IRIS_RAD, PUPIL_RAD),
        "sclera-edge": eye * smooth(angle, 1.2 * IRIS_RAD, np.deg2rad(75)),
    }


def _mouth(assembly: Assembly) -> Masks:
    """Teeth (with height and gaps), gums, tongue and the cavity."""
    names = ("teeth", "teeth-neck", "teeth-gap", "teeth-edge", "gums", "tongue")
    masks = {name: np.zeros(len(assembly.follow)) for name in names}
    start = 0
    for piece in assembly.pieces:
        own = slice(start, start + len(piece.vertices))
        if piece.part in (Part.UPPER_TEETH, Part.LOWER_TEETH):
            height, across = piece.place.T
            masks["teeth"][own] = 1
            masks["teeth-neck"][own] = smooth(height, 0.5, 0.0) + smooth(height, 1.3, 2.0)
            masks["teeth-gap"][own] = smooth(np.abs(across), 0.8, 1.0)
            masks["teeth-edge"][own] = smooth(np.abs(height - 1), 0.2, 0.0)
        elif piece.part == Part.MOUTH:
            masks["gums"][own] = 1
        elif piece.part == Part.TONGUE:
            masks["tongue"][own] = 1
        start += len(piece.vertices)
    return masks
