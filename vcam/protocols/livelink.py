"""Live Link Face: one binary packet a frame over UDP, as Unreal Engine's plug-in reads it.

    u8 6 · i32 length, identity of the phone · i32 length, name of the phone · u32 frame, f32 part of a frame, u32 rate,
    u32 denominator · u8 61 · 61 × f32; all big-endian. Without a face the packet ends before the 61.

61 = ARKit's 52 scores, then yaw, pitch and roll of the head, the left and the right eye in radians. Yaw and roll have the
opposite sign of ARKit's (in the app's recordings the left eye's yaw is negative where eyeLookOutLeft is large).
Sources: JimWest/PyLiveLinkFace; order of the scores: EARFaceBlendShape of Unreal Engine.
"""

from __future__ import annotations

import struct
from fractions import Fraction

import numpy as np

from engine.values import EXPRESSION_NAMES
from vcam.protocols.face import PacketError, StreamedFace, checked_face, no_face

PORT = 11111
VERSION, VALUES = 6, 61
LONGEST_NAME = 256  # bytes
LARGEST_BYTES = 1 + 2 * (4 + LONGEST_NAME) + 16 + 1 + 4 * VALUES
TIMECODE = struct.Struct("!IfII")
ORDER = (
    "eyeBlinkLeft", "eyeLookDownLeft", "eyeLookInLeft", "eyeLookOutLeft", "eyeLookUpLeft", "eyeSquintLeft", "eyeWideLeft",
    "eyeBlinkRight", "eyeLookDownRight", "eyeLookInRight", "eyeLookOutRight", "eyeLookUpRight", "eyeSquintRight",
    "eyeWideRight", "jawForward", "jawLeft", "jawRight", "jawOpen", "mouthClose", "mouthFunnel", "mouthPucker", "mouthLeft",
    "mouthRight", "mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft", "mouthFrownRight", "mouthDimpleLeft",
    "mouthDimpleRight", "mouthStretchLeft", "mouthStretchRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower",
    "mouthShrugUpper", "mouthPressLeft", "mouthPressRight", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthUpperUpLeft",
    "mouthUpperUpRight", "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight", "cheekPuff",
    "cheekSquintLeft", "cheekSquintRight", "noseSneerLeft", "noseSneerRight", "tongueOut",
)  # fmt: skip
PLACES = [EXPRESSION_NAMES.index(name) for name in ORDER]  # where the packet's scores lie in β
TURNED = np.array([-1, 1, -1])  # of yaw, pitch, roll


def decode(data: bytes) -> StreamedFace:
    """The face of a packet; raises PacketError."""
    if data[:1] != bytes([VERSION]):
        raise PacketError(f"it does not begin with version {VERSION}")
    at = 1
    for what in ("identity", "name"):
        if len(data) < at + 4:
            raise PacketError(f"it ends before the phone's {what}")
        (length,) = struct.unpack_from("!i", data, at)
        if not 0 <= length <= LONGEST_NAME:
            raise PacketError(f"the phone's {what} has an impossible length")
        at += 4 + length
    if len(data) < at + TIMECODE.size:
        raise PacketError("it ends before the time")
    frame, part, rate, denominator = TIMECODE.unpack_from(data, at)
    if rate == 0 or not np.isfinite(part):
        raise PacketError("its time is impossible")
    order = float((frame + Fraction(part)) * denominator / rate)
    at += TIMECODE.size
    if len(data) == at:
        return no_face(order)
    if len(data) != at + 1 + 4 * VALUES or data[at] != VALUES:
        raise PacketError(f"it has {len(data) - at} bytes after the time, {1 + 4 * VALUES} are wanted")
    values = np.frombuffer(data, ">f4", VALUES, at + 1).astype(np.float64)
    scores = np.zeros(len(EXPRESSION_NAMES))
    scores[PLACES] = values[: len(PLACES)]
    yaw, pitch, roll = values[len(PLACES) : len(PLACES) + 3] * TURNED
    return checked_face(scores, np.array([pitch, yaw, roll]), np.zeros(3), order=order)


def encode(face: StreamedFace, *, name: str = "HifiHead Cam", frame: int = 0, rate: int = 60) -> bytes:
    """The packet of a face at frame number ``frame`` of the day, ``rate`` frames a second."""
    identity, named = b"00000000-0000-0000-0000-000000000000", name.encode()
    head = bytes([VERSION]) + b"".join(struct.pack("!i", len(text)) + text for text in (identity, named))
    time = TIMECODE.pack(frame, 0.0, rate, 1)
    if not face.found:
        return head + time
    angles = [face.angles_rad[[1, 0, 2]]]
    angles += [np.array([np.arcsin(x), -np.arcsin(y), 0]) for x, y in face.gaze.reshape(2, 2)]
    turns = [turned for each in angles for turned in each * TURNED]
    return head + time + struct.pack(f"!B{VALUES}f", VALUES, *face.expression[PLACES], *turns)
