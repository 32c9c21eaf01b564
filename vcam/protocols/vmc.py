"""VMC (Virtual Motion Capture protocol): OSC messages over UDP, with ARKit's expression names ("PerfectSync").

    /VMC/Ext/Blend/Val  name, value            one score; they take effect at
    /VMC/Ext/Blend/Apply
    /VMC/Ext/Bone/Pos   name, x y z, qx qy qz qw   in Unity's coordinates: x to the person's right, left-handed
    /VMC/Ext/OK         loaded[, calibration, mode, tracking]
    /VMC/Ext/T          seconds

A frame is spread over many messages, and often over several packets. Source: protocol.vmc.info.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

import numpy as np
from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder
from pythonosc.osc_packet import OscPacket, ParseError

from engine.conventions import angles, rotation
from engine.values import EXPRESSION_NAMES, Floats
from vcam.protocols.face import NAMED, PacketError, StreamedFace, checked_face, named_scores, no_face
from vcam.protocols.rotations import matrix_of, quaternion_of

PORT = 39540  # of a program that is driven; a renderer listens on
RENDERER_PORT = 39539
LARGEST_BYTES = 65507
BUNDLE_BYTES = 1400  # of what is sent: below an Ethernet frame
TURNED = np.array([1, -1, -1, 1])  # a quaternion between Unity's coordinates and ours


@dataclass(frozen=True)
class BlendValue:
    name: str
    value: float


@dataclass(frozen=True)
class BlendApply:
    """The scores so far are one frame."""


@dataclass(frozen=True)
class BoneRotation:
    """``matrix`` (3, 3) relative to the bone's parent, in our coordinates."""

    name: str
    matrix: Floats


@dataclass(frozen=True)
class SenderStatus:
    tracking: bool


@dataclass(frozen=True)
class SenderTime:
    seconds: float


VmcMessage = BlendValue | BlendApply | BoneRotation | SenderStatus | SenderTime


def decode(data: bytes) -> list[VmcMessage]:
    """The messages of a packet that matter for a face; others are left out. Raises PacketError."""
    try:
        parsed = [timed.message for timed in OscPacket(data).messages]
    except (ParseError, ValueError, LookupError, RecursionError, OverflowError, TypeError, struct.error) as error:
        raise PacketError("it is not OSC") from error
    return [message for each in parsed if (message := typed(each)) is not None]


def typed(message: OscMessage) -> VmcMessage | None:
    """One OSC message; raises PacketError when its values are not what its address promises."""
    match message.address, message.params:
        case "/VMC/Ext/Blend/Val", [str(name), int() | float() as value]:
            return BlendValue(name, float(value))
        case "/VMC/Ext/Blend/Apply", _:
            return BlendApply()
        case "/VMC/Ext/Bone/Pos", [str(name), *numbers] if len(numbers) == 7 and all(isinstance(n, int | float) for n in numbers):
            return BoneRotation(name, matrix_of(np.array(numbers[3:], np.float64) * TURNED))
        case "/VMC/Ext/OK", [int(loaded), *more]:
            return SenderStatus(bool(loaded) and (len(more) < 3 or bool(more[2])))
        case "/VMC/Ext/T", [int() | float() as seconds]:
            return SenderTime(float(seconds))
        case (("/VMC/Ext/Blend/Val" | "/VMC/Ext/Bone/Pos" | "/VMC/Ext/OK" | "/VMC/Ext/T"), _):
            raise PacketError(f"{message.address} has other values than it should")
    return None


@dataclass
class VmcAssembler:
    """Puts messages together: ``feed`` a packet, and get the face that it completes."""

    scores: dict[str, float] = field(default_factory=dict)
    bones: dict[str, Floats] = field(default_factory=dict)
    tracking: bool = True
    order: float | None = None

    def feed(self, data: bytes) -> StreamedFace | None:
        """The newest face that is complete with this packet; None when there is none. Raises PacketError."""
        face = None
        for message in decode(data):
            match message:
                case BlendValue(name, value):
                    if name.casefold() in NAMED:
                        self.scores[name] = value
                case BoneRotation(name, matrix):
                    if name in ("Neck", "Head"):
                        self.bones[name] = matrix
                case SenderStatus(tracking):
                    self.tracking = tracking
                case SenderTime(seconds):
                    self.order = seconds
                case BlendApply():
                    face = self._face()
        return face

    def _face(self) -> StreamedFace:
        order, self.order = self.order, None  # a sender need not tell the time of every frame
        if not self.tracking:
            return no_face(order)
        head = self.bones.get("Neck", np.eye(3)) @ self.bones.get("Head", np.eye(3))
        return checked_face(named_scores(self.scores), angles(head), np.zeros(3), order=order)


def encode(face: StreamedFace) -> list[bytes]:
    """The packets of a face: bundles that fit an Ethernet frame, the last of which applies the scores."""
    messages = [osc("/VMC/Ext/OK", int(face.found)), osc("/VMC/Ext/T", float(face.order or 0.0))]
    eyes = [np.array([-np.arcsin(y), np.arcsin(x), 0]) for x, y in face.gaze.reshape(2, 2)]
    for bone, turn in (("Head", face.angles_rad), ("LeftEye", eyes[0]), ("RightEye", eyes[1])):
        messages.append(osc("/VMC/Ext/Bone/Pos", bone, 0.0, 0.0, 0.0, *map(float, quaternion_of(rotation(turn)) * TURNED)))
    for name, value in zip(EXPRESSION_NAMES, face.expression, strict=True):
        messages.append(osc("/VMC/Ext/Blend/Val", name[:1].upper() + name[1:], float(value)))
    return bundles([*messages, osc("/VMC/Ext/Blend/Apply")])


def osc(address: str, *values: str | float) -> OscMessage:
    """A message; whole numbers go as int32, others as float32."""
    builder = OscMessageBuilder(address)
    for value in values:
        builder.add_arg(value)
    return builder.build()


def bundles(messages: list[OscMessage]) -> list[bytes]:
    """The messages in order, in as few bundles of at most ``BUNDLE_BYTES`` as that takes."""
    packets, builder, size = [], OscBundleBuilder(IMMEDIATELY), 16
    for message in messages:
        if size + 4 + message.size > BUNDLE_BYTES:
            packets.append(builder.build().dgram)
            builder, size = OscBundleBuilder(IMMEDIATELY), 16
        builder.add_content(message)
        size += 4 + message.size
    return [*packets, builder.build().dgram]
