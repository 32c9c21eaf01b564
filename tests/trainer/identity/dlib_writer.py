"""Writes a small network in dlib's serialisation: the parser's counterpart, for tests only."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from engine.values import Floats

WIDTHS = (4, 8)  # of the first blocks and of the halving one
OUTPUTS = 6


def integer(value: int) -> bytes:
    size = max(1, (abs(value).bit_length() + 7) // 8)
    return bytes([size | (0x80 if value < 0 else 0)]) + abs(value).to_bytes(size, "little")


def integers(*values: int) -> bytes:
    return b"".join(integer(value) for value in values)


def real(value: float) -> bytes:
    mantissa, exponent = math.frexp(value)
    return integers(int(mantissa * 2**24), exponent - 24)


def text(value: str) -> bytes:
    return integer(len(value)) + value.encode()


def tensor(values: Floats | None = None) -> bytes:
    if values is None:
        return integers(2, 0, 0, 0, 0)
    return integers(2, len(values), 1, 1, 1) + values.astype("<f4").tobytes()


@dataclass
class Writer:
    """Collects layers from the picture to the result; what it was given is kept, to compare."""

    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))
    layers: list[bytes] = field(default_factory=list)
    kernels: list[Floats] = field(default_factory=list)
    shifts: list[Floats] = field(default_factory=list)

    def add(self, content: bytes) -> None:
        tail = integer(1) if not self.layers else b""
        self.layers.append(content + b"110" + tensor() * 3 + tail)

    def convolution(self, inputs: int, filters: int, size: int, stride: int, padding: int) -> None:
        """The convolution and the affine layer after it; keeps the two folded into one."""
        kernel = (self.rng.standard_normal((filters, inputs, size, size)) * 0.3).astype(np.float32)
        bias, gain, shift = self.rng.standard_normal((3, filters)).astype(np.float32)
        sizes = integers(filters, size, size, stride, stride, padding, padding)
        weights = np.concatenate([kernel.ravel(), bias])
        self.add(text("con_4") + tensor(weights) + sizes + integers(*[1] * 10) + (real(1) * 3 + real(0)))
        self.add(text("affine_") + tensor(np.concatenate([gain, shift])) + integers(*[1] * 10, 0))
        self.kernels.append(kernel * gain[:, None, None, None])
        self.shifts.append(bias * gain + shift)

    def block(self, inputs: int, filters: int, *, halves: bool) -> None:
        self.convolution(inputs, filters, 3, 2 if halves else 1, 0 if halves else 1)
        self.add(text("relu_"))
        self.convolution(filters, filters, 3, 1, 1)
        if halves:
            self.add(text("avg_pool_2") + integers(2, 2, 2, 2, 0, 0))
        self.add(text("add_prev_"))
        self.add(text("relu_"))

    def whole(self, side: int = 30) -> bytes:
        """A stem, a plain block, one that halves, and the end."""
        narrow, wide = WIDTHS
        self.convolution(3, narrow, 7, 2, 0)
        self.add(text("relu_"))
        self.add(text("max_pool_2") + integers(3, 3, 2, 2, 0, 0))
        self.block(narrow, narrow, halves=False)
        self.block(narrow, wide, halves=True)
        self.add(text("avg_pool_2") + integers(0, 0, 1, 1, 0, 0))
        self.projection = self.rng.standard_normal((wide, OUTPUTS)).astype(np.float32)
        fc = text("fc_2") + integers(OUTPUTS, wide) + tensor(self.projection.ravel()) + integers(*[1] * 10) + integer(1)
        self.add(fc + real(1) * 3 + real(0))
        versions = [2] * (len(self.layers) - 1)
        versions[5:5] = [1, 1]  # tags and skips lie between the layers and hold nothing
        head = integer(1) + text("loss_metric_2") + real(0.04) + real(0.6) + integers(*versions, 3)
        picture = text("input_rgb_image_sized") + real(120.0) + real(110.0) + real(100.0) + integers(side, side)
        return head + picture + b"".join(self.layers)
