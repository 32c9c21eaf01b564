"""iFacialMocap, also spoken by Facemotion3d: text over UDP. ``name-0…100|…|=head#pitch,yaw,roll,x,y,z|rightEye#…|leftEye#…|``

Angles in degrees, places in metres, signs as ARKit's. Version 2 separates names from numbers by "&", so that numbers may be
negative. Sources: ifacialmocap.com, "For developers"; a recorded frame in the tracker notes of the vpuppr project, in which eye
angles and look scores agree.
"""

from __future__ import annotations

import numpy as np

from engine.values import EXPRESSION_NAMES
from vcam.protocols.face import PacketError, StreamedFace, checked_face, named_scores

PORT = 49983  # of either end
START = (
    b"iFacialMocap_sahuasouryya9218sauhuiayeta91555dy3719|sendDataVersion=v2"  # asks the phone to send to where this came from
)
LARGEST_BYTES = 8192
ONE_SIDED = {"jawLeft", "jawRight", "mouthLeft", "mouthRight"}  # their names end in no _L and _R


def decode(data: bytes) -> StreamedFace:
    """The face of a packet of either version; raises PacketError."""
    if len(data) > LARGEST_BYTES:
        raise PacketError(f"it has {len(data)} bytes, at most {LARGEST_BYTES} are wanted")
    try:
        shapes, equals, bones = data.decode("ascii").partition("=")
    except UnicodeDecodeError as error:
        raise PacketError("it is not text") from error
    head = next((part[5:] for part in bones.split("|") if part.startswith("head#")), None)
    if not equals or head is None:
        raise PacketError("it has no head#")
    pose = numbers(head.split(","))
    if len(pose) != 6:
        raise PacketError(f"head# has {len(pose)} numbers, 6 are wanted")
    scores = {}
    for part in shapes.split("|"):
        name, separator, value = part.partition("&" if "&" in part else "-")
        if separator:
            scores[arkit_name(name)] = numbers([value])[0] / 100
    return checked_face(named_scores(scores), np.radians(pose[:3]), 10 * np.array(pose[3:]))


def encode(face: StreamedFace, version: int = 2) -> bytes:
    """The packet of a face; version 1 has whole numbers."""
    pairs = zip(map(wire_name, EXPRESSION_NAMES), 100 * face.expression, strict=True)
    shapes = "|".join(f"{name}-{value:.0f}" if version == 1 else f"{name}&{value:.5g}" for name, value in pairs)
    pose = ",".join(f"{value:.7g}" for value in [*np.degrees(face.angles_rad), *(face.place_dm / 10)])
    eyes = [f"{-np.degrees(np.arcsin(y)):.5g},{np.degrees(np.arcsin(x)):.5g},0" for x, y in face.gaze.reshape(2, 2)]
    return f"{shapes}|=head#{pose}|rightEye#{eyes[1]}|leftEye#{eyes[0]}|".encode("ascii")


def numbers(texts: list[str]) -> list[float]:
    """Raises PacketError unless all of them are numbers."""
    try:
        return [float(text) for text in texts]
    except ValueError as error:
        raise PacketError("a value is not a number") from error


def arkit_name(name: str) -> str:
    """ "eyeBlink_L" → "eyeBlinkLeft"."""
    sides = {"_L": "Left", "_R": "Right"}
    return name[:-2] + sides[name[-2:]] if name[-2:] in sides else name


def wire_name(name: str) -> str:
    """The inverse of ``arkit_name``."""
    if name in ONE_SIDED:
        return name
    return name.removesuffix("Left") + "_L" if name.endswith("Left") else name.replace("Right", "_R")
