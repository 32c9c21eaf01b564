"""VTube Studio on a phone ("3rd Party PC Clients"), also spoken by MeowFace: JSON over UDP, asked for every few seconds.

Angles in degrees, signs as ARKit's; the place is taken for decimetres, its z growing away from the phone. Sources:
DenchiSoft/VTubeStudioBlendshapeUDPReceiverTest; a recorded frame in the tracker notes of the vpuppr project.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from engine.values import EXPRESSION_NAMES, Floats
from vcam.protocols.face import PacketError, StreamedFace, checked_face, named_scores, no_face

PHONE_PORT = 21412
PORT = 21413  # of ours; any that is free would do
ASK_FOR_S, LONGEST_ASK_S = 5.0, 10.0  # how long the phone sends after each request; more than the latter it refuses
LARGEST_BYTES = 16384


def request(port: int, seconds: float = ASK_FOR_S) -> bytes:
    """Asks the phone to send to ``port`` of this machine for some seconds, at most ``LONGEST_ASK_S``."""
    return json.dumps(
        {"messageType": "iOSTrackingDataRequest", "time": seconds, "sentBy": "HifiHead Cam", "ports": [port]}
    ).encode()


def decode(data: bytes) -> StreamedFace:
    """The face of a packet; raises PacketError."""
    if len(data) > LARGEST_BYTES:
        raise PacketError(f"it has {len(data)} bytes, at most {LARGEST_BYTES} are wanted")
    try:
        values = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise PacketError("it is not JSON") from error
    if not isinstance(values, dict) or not isinstance(values.get("FaceFound"), bool):
        raise PacketError("it has no FaceFound")
    order = number(values.get("Timestamp", 0)) / 1000 or None
    if not values["FaceFound"]:
        return no_face(order)
    shapes = values.get("BlendShapes")
    if not isinstance(shapes, list) or not all(isinstance(shape, dict) for shape in shapes):
        raise PacketError("it has no list of BlendShapes")
    scores = named_scores({str(shape.get("k")): number(shape.get("v")) for shape in shapes})
    place = vector(values.get("Position")) * [1, 1, -1]
    return checked_face(scores, np.radians(vector(values.get("Rotation"))), place, order=order)


def encode(face: StreamedFace) -> bytes:
    """The packet of a face."""
    eyes = [(-np.degrees(np.arcsin(y)), np.degrees(np.arcsin(x)), 0.0) for x, y in face.gaze.reshape(2, 2)]
    names = (name[:1].upper() + name[1:] for name in EXPRESSION_NAMES)
    return json.dumps(
        {
            "Timestamp": round(1000 * (face.order or 0.0)),
            "Hotkey": -1,
            "FaceFound": face.found,
            "Rotation": named_vector(np.degrees(face.angles_rad)),
            "Position": named_vector(face.place_dm * [1, 1, -1]),
            "EyeLeft": named_vector(eyes[0]),
            "EyeRight": named_vector(eyes[1]),
            "BlendShapes": [{"k": name, "v": float(v)} for name, v in zip(names, face.expression, strict=True)],
        }
    ).encode()


def number(value: Any) -> float:
    """Raises PacketError unless it is a number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PacketError("a value is not a number")
    try:
        return float(value)
    except OverflowError as error:
        raise PacketError("a value is out of range") from error


def vector(value: Any) -> Floats:
    """(3,) of {"x", "y", "z"}; raises PacketError."""
    if not isinstance(value, dict):
        raise PacketError("a rotation or position is missing")
    return np.array([number(value.get(axis)) for axis in "xyz"])


def named_vector(values: Any) -> dict[str, float]:
    """The inverse of ``vector``."""
    return dict(zip("xyz", map(float, values), strict=True))
