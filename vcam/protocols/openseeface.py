"""OpenSeeFace's tracker: one packet a frame over UDP, 1,785 bytes a face, little-endian and unpadded.

    f64 time · i32 face · f32 width, height · f32 right eye open, left eye open · u8 fitted · f32 error · 4 f32 quaternion ·
    3 f32 Euler angles · 3 f32 position · 68 f32 confidences · 68 × 2 f32 points · 70 × 3 f32 points in the head's frame ·
    14 f32 features

Its solver takes rows for x and columns for y, on a head whose x goes to the person's right; the quaternion is the inverse
rotation's. Gaze is the way from the eyeballs' centres (points 68, 69) to the pupils (66 right, 67 left). Brows and mouth are
known as 14 features of −1…1, from which the nearest scores are made. Source: facetracker.py and Unity/OpenSee.cs of
emilianavt/OpenSeeFace (BSD-2).
"""

from __future__ import annotations

import numpy as np

from engine.conventions import CAMERA_DISTANCE_DM, angles, rotation
from engine.values import EXPRESSION_NAMES, Floats
from vcam.protocols.face import PacketError, StreamedFace, checked_face, no_face, with_looks
from vcam.protocols.rotations import matrix_of, quaternion_of

PORT = 11573
LAYOUT = np.dtype(
    [
        ("time", "<f8"), ("face", "<i4"), ("size", "<f4", 2), ("open", "<f4", 2), ("fitted", "u1"), ("error", "<f4"),
        ("quaternion", "<f4", 4), ("euler", "<f4", 3), ("position", "<f4", 3), ("confidence", "<f4", 68),
        ("points", "<f4", (68, 2)), ("head_points", "<f4", (70, 3)), ("features", "<f4", 14),
    ]
)  # fmt: skip
FEATURES = (
    "eye_l", "eye_r", "eyebrow_steepness_l", "eyebrow_updown_l", "eyebrow_quirk_l", "eyebrow_steepness_r",
    "eyebrow_updown_r", "eyebrow_quirk_r", "mouth_corner_updown_l", "mouth_corner_inout_l", "mouth_corner_updown_r",
    "mouth_corner_inout_r", "mouth_open", "mouth_wide",
)  # fmt: skip
MOST_FACES = 40
LARGEST_BYTES = LAYOUT.itemsize * MOST_FACES
DM_PER_UNIT = 1.54  # its head is 0.91 wide between the ears, a person's about 1.4 dm
TO_ROWS = np.array([[0, -1, 0], [1, 0, 0], [0, 0, -1]])  # our camera's axes (right, up, back) to its own (down, right, forward)
TO_RIGHT = np.diag([-1, 1, 1])  # our head's axes to those of its head

# score, feature, sign of the feature: what goes the other way than a score is none of it
SIGNS = (
    ("browOuterUpLeft", "eyebrow_updown_l", 1), ("browOuterUpRight", "eyebrow_updown_r", 1),
    ("browDownLeft", "eyebrow_updown_l", -1), ("browDownRight", "eyebrow_updown_r", -1),
    ("mouthFrownLeft", "mouth_corner_updown_l", 1), ("mouthFrownRight", "mouth_corner_updown_r", 1),
    ("mouthSmileLeft", "mouth_corner_updown_l", -1), ("mouthSmileRight", "mouth_corner_updown_r", -1),
    ("jawOpen", "mouth_open", 1), ("mouthPucker", "mouth_wide", -1),
)  # fmt: skip


def decode(data: bytes) -> StreamedFace:
    """The first face of a packet; raises PacketError."""
    if not data or len(data) % LAYOUT.itemsize or len(data) > LARGEST_BYTES:
        raise PacketError(f"it has {len(data)} bytes, a multiple of {LAYOUT.itemsize} is wanted")
    packet = np.frombuffer(data, LAYOUT, 1)[0]
    for name in ("time", "open", "quaternion", "position", "head_points", "features"):
        if not (np.abs(packet[name]) < np.inf).all():
            raise PacketError(f"a value of its {name} is not a number")
    order = float(packet["time"])
    if not packet["fitted"]:
        return no_face(order)
    ours = TO_ROWS.T @ matrix_of(packet["quaternion"].astype(np.float64)).T @ TO_RIGHT
    place = DM_PER_UNIT * TO_ROWS.T @ packet["position"].astype(np.float64)
    place[2] += CAMERA_DISTANCE_DM
    gaze = gaze_of_points(packet["head_points"][66:70].astype(np.float64))
    scores = with_looks(scores_of(packet["features"], packet["open"]), gaze)
    return checked_face(scores, angles(ours), place, gaze, order)


def encode(face: StreamedFace) -> bytes:
    """A packet of a face, with what this program reads of it; the 68 points of the picture are left zero."""
    packet = np.zeros(1, LAYOUT)
    packet["time"], packet["size"], packet["fitted"] = face.order or 0.0, (640, 360), face.found
    score = dict(zip(EXPRESSION_NAMES, face.expression, strict=True))
    packet["open"] = 1 - score["eyeBlinkRight"], 1 - score["eyeBlinkLeft"]
    packet["quaternion"] = quaternion_of((TO_ROWS @ rotation(face.angles_rad) @ TO_RIGHT).T)
    packet["position"] = TO_ROWS @ (face.place_dm - [0, 0, CAMERA_DISTANCE_DM]) / DM_PER_UNIT
    for name, feature, sign in SIGNS:
        packet["features"][0, FEATURES.index(feature)] += sign * score[name]
    for pupil, centre, (x, y) in ((67, 69, face.gaze[:2]), (66, 68, face.gaze[2:])):
        away = np.array([x, y, np.sqrt(max(0.0, 1 - x * x - y * y))])
        packet["head_points"][0, pupil] = packet["head_points"][0, centre] + away * [-1, -1, -1]
    return packet.tobytes()


def gaze_of_points(points: Floats) -> Floats:
    """(4,) τ of the right and left pupil and the right and left eyeball's centre, (4, 3) as sent; 0 where they coincide."""
    ways = (points[[1, 0]] - points[[3, 2]]) * [-1, -1, -1]  # sent are x to the person's right, y down, z inward
    lengths = np.linalg.norm(ways, axis=1, keepdims=True)
    unit = np.divide(ways, lengths, out=np.zeros_like(ways), where=lengths > 1e-6)
    return np.asarray(np.clip(unit[:, :2], -1, 1).reshape(4), np.float32)


def scores_of(features: Floats, eyes_open: Floats) -> Floats:
    """(52,) of the 14 features and of how far right and left eye are open."""
    scores = np.zeros(len(EXPRESSION_NAMES))
    for name, feature, sign in SIGNS:
        scores[EXPRESSION_NAMES.index(name)] = np.clip(sign * features[FEATURES.index(feature)], 0, 1)
    right, left = 1 - np.clip(eyes_open, 0, 1)
    scores[[EXPRESSION_NAMES.index("eyeBlinkRight"), EXPRESSION_NAMES.index("eyeBlinkLeft")]] = right, left
    return scores
