"""Fitting the head to landmarks: pose and identity by Gauss-Newton on the reprojection error, gaze from the irises.

The residual is the landmarks' distance in crop coordinates (``engine.conventions``), the camera the one stated there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from engine.conventions import CAMERA_DISTANCE_DM, FOCAL, angles, rotation
from engine.head import HeadModel
from engine.landmark_indices import INNER_LIPS, LEFT_IRIS, LID_EDGES, OUTER_LIPS, RIGHT_IRIS
from engine.regress.system import linear_system, pose_only
from engine.resource import Resource
from engine.values import EXPRESSION, EXPRESSION_NAMES, FACE_POINTS, IDENTITY, Coefficients, Face, Floats, Picture, Square

LANDMARK_NOISE = 0.012  # of the tracker, crop coordinates: 3 px of 512
STILL_DM = 0.04  # a landmark that expressions move by this much counts half for the pose
SCORE_NOISE = 0.1  # of the tracker's blend-shape scores, the prior of β: they tell what a face does, landmarks by how much
FRAME_SCORE_NOISE = 0.05  # the same of frames, where the identity is known less well than what moves: ``calibrated``
# A few pixels of lips and of the edges of lids are a mouth or an eye that is open or shut, a smile or none.
EDGE_WEIGHT = 5.0  # of such a landmark, against 1
TURNS = 2  # β and α are fitted in turn
WEIGHTS = np.ones((FACE_POINTS, 2), np.float32)  # of each landmark's x and y
WEIGHTS[[*OUTER_LIPS, *INNER_LIPS, *LID_EDGES]] = EDGE_WEIGHT
MAX_GAZE = 0.6  # sine of the largest eye rotation, 37°
GAZE_PER_SCORE = 0.48  # τ per score, sideways: 0.49 on rendered heads; on two real clips the rays' slope is 0.47


@dataclass(frozen=True)
class LandmarkBasis:
    """The head model seen only at its 478 landmark points: a few hundred numbers instead of thousands of vertices."""

    mean: Floats  # (478, 3)
    identity: Floats  # (80, 478, 3)
    expression: Floats  # (64, 478, 3)
    stillness: Floats  # (478,) 0…1, how little expressions move the point: its weight in a pose
    eye_centres: Floats  # (2, 3) left, right, of the mean head
    eye_identity: Floats  # (80, 2, 3)
    iris_radius_dm: float  # distance of the iris from the eye's centre

    @staticmethod
    def of(head: HeadModel) -> LandmarkBasis:
        def at(field: Floats) -> Floats:
            corners = field[..., head.triangles[head.landmark_triangles], :]
            return np.asarray((corners * head.landmark_weights[..., None]).sum(-2), np.float32)

        expression = at(head.expression_basis)
        motion = np.sqrt((expression**2).sum((0, 2)))
        stillness = 1 / (1 + (motion / STILL_DM) ** 2)
        stillness[FACE_POINTS:] = 0
        centres = head.mean_shape[head.eye_centres].mean(1)
        mean = at(head.mean_shape)
        radius = float(np.linalg.norm(mean[LEFT_IRIS].mean(0) - centres[0]))
        by_identity = head.identity_basis[:, head.eye_centres].mean(2)
        return LandmarkBasis(
            mean, at(head.identity_basis), expression, stillness.astype(np.float32), centres, by_identity, radius
        )

    @cached_property
    def expression_by_point(self) -> Floats:
        """(468, 3, 52) how the named expressions move each point of the face, irises left out; contiguous."""
        named = self.expression[: len(EXPRESSION_NAMES), :FACE_POINTS]
        return np.ascontiguousarray(named.transpose(1, 2, 0))

    def shape(self, identity: Floats, expression: Floats) -> Floats:
        """(478, 3) landmark points in head coordinates, eq. 2 (irises look straight ahead)."""
        flat = self.mean + np.tensordot(identity, self.identity, 1) + np.tensordot(expression, self.expression, 1)
        return np.asarray(flat, np.float32)


def observed(face: Face, square: Square) -> Floats:
    """(478, 3) a face's landmarks in crop coordinates."""
    return square.normalise(face.landmarks)


def expression_of(face: Face) -> Floats:
    """(64,) β from the tracker's blend-shape scores; the twelve further components stay zero."""
    beta = np.zeros(EXPRESSION, np.float32)
    beta[: len(EXPRESSION_NAMES)] = face.blendshapes
    return beta


def initial_pose(points: Floats, seen: Floats, weights: Floats) -> Floats:
    """(6,) pose from 3-D points and landmarks in crop coordinates with depth: weighted Procrustes under weak perspective."""
    w = (weights / weights.sum())[:, None]
    upright = seen * np.array([1, -1, 1], np.float32)  # y up
    centre_a, centre_b = (w * points).sum(0), (w * upright).sum(0)
    a, b = points - centre_a, upright - centre_b
    u, singular, vt = np.linalg.svd((w * a).T @ b)
    signs = np.array([1, 1, np.sign(np.linalg.det(u @ vt))])
    R = ((u * signs) @ vt).T
    scale = (singular * signs).sum() / (w * a**2).sum()
    depth = FOCAL / scale
    offset = centre_b - scale * (R @ centre_a)
    x, y = offset[:2] * depth / FOCAL
    return np.asarray([*angles(R), x, y, CAMERA_DISTANCE_DM - depth], np.float32)


def refine_pose(points: Floats, seen: Floats, pose: Floats, weights: Floats, steps: int = 4) -> Floats:
    """(6,) the pose that minimises the weighted reprojection error of (N, 3) points, by Gauss-Newton from ``pose``."""
    basis, each = pose_only(len(points)), np.repeat(weights, 2)[:, None]
    for _ in range(steps):
        residual, J = linear_system(points, seen, pose, basis)
        Jw = J * each
        pose = _step(pose, np.linalg.solve(Jw.T @ J + 1e-9 * np.eye(6), Jw.T @ residual))
    return pose


def fit_person(basis: LandmarkBasis, seen: Floats, scores: Floats) -> tuple[Floats, Floats, Floats]:
    """(80,) α, (64,) β within 0…1 and (6,) pose of somebody who is seen for the first time, from landmarks (478, 3) and scores.

    What a face does and who it is explain the same landmarks, so one is fitted while the other is held, in turn.
    """
    beta = scores
    alpha, pose = fit_identity(basis, seen, beta)
    for _ in range(TURNS):
        beta, pose = fit_expression(basis, basis.shape(alpha, np.zeros_like(beta)), seen, scores, pose, steps=4)
        beta = np.clip(beta, 0, 1)
        alpha, pose = fit_identity(basis, seen, beta)
    return alpha, beta, pose


def fit_identity(basis: LandmarkBasis, seen: Floats, expression: Floats, steps: int = 8) -> tuple[Floats, Floats]:
    """(80,) α and (6,) pose that explain landmarks (478, 3), with the prior α ~ N(0, 1)."""
    seen = seen[:FACE_POINTS]
    alpha = np.zeros(IDENTITY, np.float32)
    pose = initial_pose(basis.shape(alpha, expression)[:FACE_POINTS], seen, basis.stillness[:FACE_POINTS] + 0.05)
    by_point = np.ascontiguousarray(basis.identity[:, :FACE_POINTS].transpose(1, 2, 0))
    for _ in range(steps):
        residual, J = linear_system(basis.shape(alpha, expression)[:FACE_POINTS], seen, pose, by_point)
        normal, gradient = J.T @ J / LANDMARK_NOISE**2, J.T @ residual / LANDMARK_NOISE**2
        normal[6:, 6:] += np.eye(IDENTITY)
        gradient[6:] -= alpha
        step = np.linalg.solve(normal + 1e-6 * np.eye(len(normal)), gradient)
        pose, alpha = _step(pose, step[:6]), (alpha + step[6:]).astype(np.float32)
    return alpha, pose


def gaze_of(eye_centres: Floats, iris_radius_dm: float, pose: Floats, seen: Floats) -> Floats:
    """(4,) τ: where the rays through the irises' centres meet the spheres around the eye centres (2, 3), left and right."""
    R = rotation(pose[:3])
    out = []
    for centre, iris in zip(eye_centres, (LEFT_IRIS, RIGHT_IRIS), strict=True):
        eye = R @ centre + pose[3:]
        depth = CAMERA_DISTANCE_DM - eye[2] - iris_radius_dm
        x, y = seen[iris, :2].mean(0) * np.array([1, -1]) * depth / FOCAL
        across = np.array([x - eye[0], y - eye[1]]) / iris_radius_dm
        forward = np.sqrt(max(0.2, 1 - float((across**2).sum())))
        direction = R.T @ np.array([*across, forward])
        out.append(np.clip(direction[:2] / np.linalg.norm(direction), -MAX_GAZE, MAX_GAZE))
    return np.asarray(np.concatenate(out), np.float32)


def gaze_seen(face: Face, rays: Floats) -> Floats:
    """(4,) τ of a frame: upward by the ``rays`` through the irises (``gaze_of``), sideways by the tracker's scores of where the
    eyes look, calibrated (``GAZE_PER_SCORE``).

    Sideways the scores know more than the rays: against rendered heads their correlation is 0.92 instead of 0.84, and on real
    faces both eyes agree (0.96 and 0.99 instead of 0.60 and 0.88, two clips) with less jitter. Upward the two say the same there,
    but the scores also follow the head's pitch.
    """
    by_name = dict(zip(EXPRESSION_NAMES, face.blendshapes, strict=True))
    left = by_name["eyeLookOutLeft"] - by_name["eyeLookInLeft"]
    right = by_name["eyeLookInRight"] - by_name["eyeLookOutRight"]
    sideways = np.clip(np.array([left, right], np.float32) * GAZE_PER_SCORE, -MAX_GAZE, MAX_GAZE)
    return np.array([sideways[0], rays[1], sideways[1], rays[3]], np.float32)


def fit_expression(
    basis: LandmarkBasis,
    rest: Floats,
    seen: Floats,
    scores: Floats,
    pose: Floats,
    steps: int = 2,
    score_noise: float = SCORE_NOISE,
) -> tuple[Floats, Floats]:
    """(64,) β and (6,) pose that explain landmarks of a face whose rest shape (478, 3) is known, by Gauss-Newton from ``pose``.

    The tracker's scores are the prior: they know what a face does, the landmarks know by how much. β may leave 0…1.
    """
    count = len(EXPRESSION_NAMES)
    named, beta, each = slice(count), scores.copy(), WEIGHTS.reshape(-1, 1)
    prior = np.concatenate([np.zeros(6, np.float32), np.full(count, (LANDMARK_NOISE / score_noise) ** 2, np.float32)])
    for _ in range(steps):
        points = rest[:FACE_POINTS] + basis.expression_by_point @ beta[named]
        residual, J = linear_system(points, seen, pose, basis.expression_by_point)
        Jw = J * each
        normal, gradient = Jw.T @ J, Jw.T @ residual
        normal.flat[:: 7 + count] += prior
        gradient[6:] -= (beta[named] - scores[named]) * prior[6:]
        step = np.linalg.solve(normal, gradient)
        pose = _step(pose, step[:6])
        beta[named] += step[6:]
    return beta, pose


def fit_frame(
    basis: LandmarkBasis, rest: Floats, eye_centres: Floats, face: Face, square: Square, steps: int = 2
) -> tuple[Floats, Floats, Floats]:
    """(64,) β, (6,) p and (4,) τ of a face of a person whose rest shape (478, 3) and eye centres (2, 3) are known [dm]."""
    seen = observed(face, square)
    start = initial_pose(rest[:FACE_POINTS], seen[:FACE_POINTS], basis.stillness[:FACE_POINTS])
    pose = refine_pose(rest, seen, start, basis.stillness, steps=2)
    beta, pose = fit_expression(basis, rest, seen, expression_of(face), pose, steps, FRAME_SCORE_NOISE)
    return beta, pose, gaze_seen(face, gaze_of(eye_centres, basis.iris_radius_dm, pose, seen))


# What the fit loses of a movement, by channel: the tracker's landmarks shrink it, and a face that is fitted as a whole takes a
# part of it for something else. Of six rendered drivers the fit finds 0.75 of a nod (0.53 to 0.84), 0.66 of a jaw, 0.77 of a
# smile and 0.53 of a pucker; on clips of real faces 0.70 and 0.77 of what the tracker's depths say of nods, and 0.80 to 0.90 of
# its scores of smiles, which are 0.95 of the truth. Yaw, roll, upper lip and lids need nothing: 1.07, 1.00, 0.97, 1.0.
EXPRESSION_GAIN = {"mouthSmileLeft": 1.2, "mouthSmileRight": 1.2, "jawOpen": 1.35, "mouthPucker": 1.3}
PITCH_GAIN = 1.25
_GAINS = np.array([EXPRESSION_GAIN.get(name, 1.0) for name in EXPRESSION_NAMES] + [1.0] * (EXPRESSION - len(EXPRESSION_NAMES)))


def calibrated(beta: Floats, pose: Floats) -> tuple[Floats, Floats]:
    """(64,) β and (6,) p of a driver with the slopes that the fit loses made up for; not for what must lie on the landmarks."""
    nodding = pose.copy()
    nodding[0] *= PITCH_GAIN
    return (beta * _GAINS).astype(np.float32), nodding


class LandmarkRegressor(Resource):
    """z of one person from frame to frame: the identity is fitted once, on ``meet``; a frame then costs some milliseconds."""

    def __init__(self, head: HeadModel) -> None:
        self.basis = LandmarkBasis.of(head)
        self._identity: Floats | None = None

    def meet(self, image: Picture, face: Face, square: Square) -> None:
        """Fits the identity to a new face."""
        self._identity, _, _ = fit_person(self.basis, observed(face, square), expression_of(face))
        self._rest = self.basis.shape(self._identity, np.zeros(EXPRESSION, np.float32))
        self._eyes = self.basis.eye_centres + np.tensordot(self._identity, self.basis.eye_identity, 1)

    def regress(self, image: Picture, face: Face, square: Square) -> Coefficients:
        """z of a frame: β, p, τ of the moment, α of the person; texture and light are not looked at."""
        if self._identity is None:
            self.meet(image, face, square)
        assert self._identity is not None  # noqa: S101 - for the type checker, ``meet`` has set it
        beta, pose, gaze = fit_frame(self.basis, self._rest, self._eyes, face, square)
        beta, pose = calibrated(beta, pose)
        neutral = Coefficients.neutral()
        return Coefficients(self._identity, beta, neutral.texture, neutral.illumination, pose, gaze)

    def close(self, timeout_s: float | None = None) -> None:
        """Nothing to free."""


def _step(pose: Floats, step: Floats) -> Floats:
    angle = float(np.linalg.norm(step[:3]))
    axis = step[:3] / max(angle, 1e-12)
    K = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    turn = np.eye(3) + np.sin(angle) * K + (1 - np.cos(angle)) * K @ K
    return np.asarray([*angles(turn @ rotation(pose[:3])), *(pose[3:] + step[3:])], np.float32)
