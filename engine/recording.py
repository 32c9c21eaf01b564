"""Recorded motion, ``.z``: what moves of a face, as numbers, in a file that is whole at every moment (docs/streams.md).

    header  8 bytes MAGIC · u16 version · u16 numbers a moment · 32 bytes SHA-256 of the head model · u32 CRC-32 of these
    moment  f64 seconds since the first · u16 flags · u16 number of the driver · 74 × f32 expression, pose, gaze · u32 CRC-32

All little-endian, every moment 312 bytes: 9.4 kB/s at 30 a second. Each is written by one call of the system, so that a
program that is killed leaves all but the last; reading goes as far as whole moments go.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from engine.errors import InputError
from engine.files import reason, refuse_absent
from engine.head.asset import OPEN_HEAD
from engine.resource import Resource
from engine.values import EXPRESSION, EXPRESSION_NAMES, GAZE, POSE, Floats, Mask

MAGIC = b"\x89HHZ\r\n\x1a\n"  # as PNG's: a transfer as text damages it
VERSION = 1
MOTION = EXPRESSION + POSE + GAZE  # 74
FACE, RELATIVE = 1, 2  # flags: somebody is seen; the numbers are departures from rest
HEADER = struct.Struct("<8sHH32s")
MOMENT = np.dtype([("time_s", "<f8"), ("flags", "<u2"), ("driver", "<u2"), ("motion", "<f4", MOTION), ("crc", "<u4")])
HEADER_BYTES = HEADER.size + 4
LARGEST_BYTES = 2**29  # 15 hours
LARGEST_NUMBER = 1000.0  # no angle, score or distance comes near


@lru_cache(maxsize=1)
def head_hash() -> bytes:
    """SHA-256 of the head model's file, which says what the unnamed expressions are."""
    return hashlib.sha256(OPEN_HEAD.read_bytes()).digest()


class RecordingWriter(Resource):
    """A new recording; ``write`` moments in order."""

    def __init__(self, path: Path) -> None:
        """Raises InputError when the file exists or cannot be written."""
        self.path = path
        try:
            self._file = path.open("xb", buffering=0)
        except FileExistsError as error:
            raise InputError(f"{path} exists already; a recording needs a new name.") from error
        except (OSError, ValueError) as error:
            raise InputError(f"{path} cannot be written: {reason(error)}.") from error
        self._start_s: float | None = None
        self.moments = 0
        self._append(HEADER.pack(MAGIC, VERSION, MOTION, head_hash()))

    def write(self, time_s: float, motion: Floats | None, *, relative: bool = False, driver: int = 0) -> None:
        """Appends a moment: (74,) expression, pose and gaze, or None where nobody is seen; ``time_s`` on any clock.

        Raises InputError when the disk takes no more.
        """
        self._start_s = time_s if self._start_s is None else self._start_s
        flags = (FACE if motion is not None else 0) | (RELATIVE if relative else 0)
        numbers = np.zeros(MOTION) if motion is None else motion
        self._append(struct.pack(f"<dHH{MOTION}f", time_s - self._start_s, flags, driver % 2**16, *numbers))
        self.moments += 1

    def close(self) -> None:
        self._file.close()

    def _append(self, data: bytes) -> None:
        data += struct.pack("<I", zlib.crc32(data))
        try:
            written = self._file.write(data)
        except OSError as error:
            raise InputError(f"{self.path} cannot be written further ({reason(error)}); it ends here.") from error
        if written != len(data):
            raise InputError(f"{self.path} cannot be written further (the disk is full); it ends here.")


@dataclass(frozen=True)
class Recording:
    """times_s (N,) rising from 0; motion (N, 74); face (N,) whether somebody is seen; relative (N,); driver (N,) numbers.

    ``same_head``: whether it was made with this head model; with another the unnamed expressions are 0. ``notes``: sentences
    about what is missing of it.
    """

    times_s: Floats
    motion: Floats
    face: Mask
    relative: Mask
    driver: Floats
    same_head: bool = True
    notes: tuple[str, ...] = ()


def read_recording(path: Path) -> Recording:
    """What is whole of a recording; raises InputError unless that is two moments at least."""
    data = read_file(path)
    same_head = check_header(path, data)
    moments = np.frombuffer(data, MOMENT, (len(data) - HEADER_BYTES) // MOMENT.itemsize, HEADER_BYTES)
    good = whole(moments)
    kept = moments[good]
    if len(kept) < 2:
        raise InputError(f"The recording {path} has {len(kept)} whole moments; 2 are wanted.")
    notes = []
    if (len(data) - HEADER_BYTES) % MOMENT.itemsize:
        notes.append(f"The recording {path} is cut off; what is there of it is played.")
    if not good.all():
        notes.append(f"{(~good).sum()} of {len(moments)} moments of the recording {path} are damaged and left out.")
    motion = kept["motion"].astype(np.float32)
    if not same_head:
        motion[:, len(EXPRESSION_NAMES) : EXPRESSION] = 0
    flags = kept["flags"]
    return Recording(
        kept["time_s"] - kept["time_s"][0],
        motion,
        (flags & FACE).astype(bool),
        (flags & RELATIVE).astype(bool),
        kept["driver"].astype(np.int64),
        same_head,
        tuple(notes),
    )


def read_file(path: Path) -> bytes:
    """Raises InputError for what is not there, or is too large to be one."""
    refuse_absent(path, "recording")
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise InputError(f"{path} is no recording: it is larger than 512 MB.")
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"The recording {path} cannot be read: {reason(error)}.") from error


def check_header(path: Path, data: bytes) -> bool:
    """Whether the head model is the same; raises InputError for what is no recording, or one of another version."""
    if not data.startswith(MAGIC):
        raise InputError(f"{path} is no recording; wanted is a file that `hifihead record` made.")
    if len(data) < HEADER_BYTES:
        raise InputError(f"The recording {path} is cut off in its head; nothing of it can be played.")
    _, version, numbers, head = HEADER.unpack_from(data)
    if version != VERSION:
        raise InputError(f"{path} is a recording of version {version}; this program plays version {VERSION}.")
    if numbers != MOTION or zlib.crc32(data[: HEADER.size]) != struct.unpack_from("<I", data, HEADER.size)[0]:
        raise InputError(f"The head of the recording {path} is damaged: its checksum does not fit.")
    return bool(head == head_hash())


def whole(moments: np.ndarray[tuple[int], np.dtype[np.void]]) -> Mask:
    """(N,) whether a moment's checksum fits, its numbers are possible, and it comes later than those before."""
    good, last_s = np.zeros(len(moments), bool), -np.inf
    for index, moment in enumerate(moments):
        if zlib.crc32(moment.tobytes()[:-4]) != moment["crc"]:
            continue
        possible = (np.abs(moment["motion"]) <= LARGEST_NUMBER).all() and last_s < moment["time_s"] < np.inf
        if possible:
            good[index], last_s = True, moment["time_s"]
    return good
