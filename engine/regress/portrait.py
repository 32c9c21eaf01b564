"""Fitting the head to a portrait: all 261 coefficients, and what a linear model cannot say of a person."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from engine.conventions import CAMERA_DISTANCE_DM, FOCAL, place, project, rotation
from engine.head import HeadModel, Part, PersonalHead
from engine.head.lips import with_closing_lips
from engine.head.portrayed import as_portrayed
from engine.landmark_indices import LID_MIDDLES, UPPER_LIDS
from engine.regress.appearance import fit_appearance, vertex_colours
from engine.regress.landmarks import LandmarkBasis, expression_of, fit_person, gaze_of, observed
from engine.regress.mouth_colours import mouth_colours
from engine.render import create_renderer
from engine.render.lighting import vertex_normals
from engine.values import BLINKS, FACE_POINTS, JAW_OPEN, LANDMARKS, Coefficients, Face, Floats, Picture, Square

FIT_SIZE_PX = 512
WIDE_DM, NARROW_DM = 0.35, 0.06  # reach of the personal offset around a landmark: the face's shape, and a lid's edge
OFFSET_NOISE = 0.02  # of the landmarks, against the kernel's 1: how exactly they are followed
LASHES = 0.15  # thickness of the lash line, in openings of the eye
BLINK_GAIN = (0.6, 1.8)
LIDS_MEET = 1.1  # of the way between the lids' landmark points: the upper lid covers the lower one's wet edge
CLOSED = 0.6  # a blink score above which the photograph's eyes count as closed


@dataclass(frozen=True)
class Fit:
    """A person as the head model sees them: z of the portrait, the head with its personal offset, and its albedo (V, 3),
    of the mouth's inside as it suits the photograph."""

    coefficients: Coefficients
    head: PersonalHead
    albedo: Floats


def fit_portrait(head: HeadModel, face: Face, crop: Picture) -> Fit:
    """All of z from a face in a square crop: shape and pose from landmarks, gaze from irises, light and texture from pixels."""
    size = crop.shape[0]
    seen = observed(face, Square(size / 2, size / 2, size))
    head = as_portrayed(head)
    basis = LandmarkBasis.of(head)
    alpha, beta, pose = fit_person(basis, seen, expression_of(face))
    seen = with_lashes(seen)
    head = _with_closing_lids(head, basis, seen, beta, pose)
    basis = LandmarkBasis.of(head)
    offset = personal_offset(head, basis.shape(alpha, beta), seen, pose)
    personal = head.with_identity(alpha, offset)
    gaze = gaze_of(personal.eye_centres, basis.iris_radius_dm, pose, seen)
    personal = with_closing_lips(personal, beta, gaze)
    z = replace(Coefficients.neutral(), identity=alpha, expression=beta, pose=pose, gaze=gaze)
    gamma, delta = _appearance(head, personal, z, crop)
    z = replace(z, illumination=gamma, texture=delta)
    normals = vertex_normals(place(personal.shape(beta, gaze), pose), head.triangles)
    return Fit(z, personal, mouth_colours(head, head.albedo(delta), normals, gamma, face.landmarks, crop))


def personal_offset(head: HeadModel, points: Floats, seen: Floats, pose: Floats) -> Floats:
    """(V, 3) what moves the landmark points (478, 3) onto the seen ones (478, 3), spread smoothly over the head [dm].

    Kernel ridge regression with two reaches, over a face whose mouth and eyes are wide open: where they are shut, what belongs to
    one lip would also move the other. The eyeballs move as a whole, for they must stay round.
    """
    placed = place(points, pose)
    depth = CAMERA_DISTANCE_DM - placed[:, 2:]
    missing = (seen[:, :2] - project(placed)[:, :2]) * np.array([1, -1], np.float32) * depth / FOCAL
    shift = np.concatenate([missing, np.zeros((LANDMARKS, 1), np.float32)], 1) @ rotation(pose[:3])
    apart = head.mean_shape + head.expression_basis[JAW_OPEN] - head.expression_basis[BLINKS].sum(0)
    known = head.landmarks(apart)[:FACE_POINTS]
    gram = _kernel(known, known) + OFFSET_NOISE * np.eye(FACE_POINTS)
    coefficients = np.linalg.solve(gram, shift[:FACE_POINTS])
    offset = _kernel(apart, known) @ coefficients
    for eye in head.eyeballs:
        offset[eye] = _kernel(apart[eye].mean(0)[None], known) @ coefficients
    return offset.astype(np.float32)


def _kernel(a: Floats, b: Floats) -> Floats:
    """(A, B) how much points (A, 3) and (B, 3) move together."""
    squared = np.maximum((a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * (a @ b.T), 0)
    return np.asarray(0.5 * np.exp(-squared / (2 * WIDE_DM**2)) + 0.5 * np.exp(-squared / (2 * NARROW_DM**2)), np.float32)


def with_lashes(seen: Floats) -> Floats:
    """Landmarks with the upper lids' edges moved into the eyes: the lash line belongs to the lid and comes down with it."""
    out = seen.copy()
    for (upper, lower), edge in zip(LID_MIDDLES, UPPER_LIDS, strict=True):
        opening = seen[list(lower), :2].mean(0) - seen[list(upper), :2].mean(0)
        out[list(edge), :2] += LASHES * opening
    return out


def _with_closing_lids(head: HeadModel, basis: LandmarkBasis, seen: Floats, beta: Floats, pose: Floats) -> HeadModel:
    """The head with its blinks scaled so that 1 closes *this* person's eyes, however wide the photograph shows them."""
    depth = CAMERA_DISTANCE_DM - pose[5]
    expression = head.expression_basis.copy()
    points = basis.expression[BLINKS, :, 1]
    for blink, heights, own, (upper, lower) in zip(expression[BLINKS], points, beta[BLINKS], LID_MIDDLES, strict=True):
        opening = np.linalg.norm(seen[list(upper), :2] - seen[list(lower), :2], axis=1).mean() * depth / FOCAL
        travel = (heights[list(lower)] - heights[list(upper)]).mean()
        if own < CLOSED:
            blink *= np.clip(LIDS_MEET * opening / (travel * (1 - own)), *BLINK_GAIN)  # noqa: PLW2901 - in its place
    return replace(head, expression_basis=expression)


def _appearance(head: HeadModel, personal: PersonalHead, z: Coefficients, crop: Picture) -> tuple[Floats, Floats]:
    placed = place(personal.shape(z.expression, z.gaze), z.pose)
    screen = project(placed)
    raster = create_renderer("cpu", FIT_SIZE_PX).rasterise(screen, head.triangles)
    visible = np.zeros(len(placed), np.float32)
    visible[head.triangles[np.unique(raster.triangle[raster.triangle >= 0])]] = 1
    visible[np.unique(head.triangles[head.part > Part.EYE_RIGHT])] = 0
    visible *= head.follow > 0.5  # collars are not skin
    return fit_appearance(head, vertex_normals(placed, head.triangles), vertex_colours(crop, screen), visible)
