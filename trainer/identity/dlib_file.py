"""Reading a network that dlib saved (``dlib::serialize``): numbers and names only, nothing in the file is executed.

A network is nested from the outside in: the loss, then a version number for every layer, tag and skip (a layer says 2, a tag or a
skip 1, the innermost layer 3), the input, and then from the inside out the contents of the layers. Integers are a byte with the
sign (bit 7) and the count of the bytes that follow, least significant first; real numbers are mantissa · 2^exponent, two of these
integers; a bool is the character 0 or 1; a tensor is its version 2, four sizes, and float32.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from engine.errors import InputError
from engine.values import Floats

_INNERMOST, _LAYER, _TAG = 3, 2, 1
_MOST_LAYERS = 1_000
_SIGN, _COUNT = 0x80, 0x0F
_LONGEST_INTEGER = 8

# how many integers stand in a pool, in a convolution, in a pointer into the weights
_POOL_INTEGERS, _CONVOLUTION_INTEGERS, _ALIAS_INTEGERS = 6, 7, 5


@dataclass(frozen=True)
class DlibLayer:
    """One layer, in the order of computing.

    kind     dlib's name without its version: con, affine, relu, max_pool, avg_pool, add_prev, fc
    numbers  con: filters, height, width, stride y, x, padding y, x; pools: the same without filters; fc: outputs, inputs
    weights  all of the layer's, flat: con filters then biases, affine gains then biases; empty where it has none
    """

    kind: str
    numbers: tuple[int, ...]
    weights: Floats


@dataclass(frozen=True)
class DlibNetwork:
    """mean (3,) RGB 0…255 that is taken from pictures; side [px] of the pictures; layers from the picture to the result."""

    mean: Floats
    side: int
    layers: tuple[DlibLayer, ...]


def read_dlib_network(path: Path) -> DlibNetwork:
    """Raises InputError when the file is missing, cut short, or no network of these layers."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}): give the file of an identity network") from error
    try:
        return _network(_Reader(content))
    except (ValueError, IndexError, OverflowError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path} must be a face recognition network saved by dlib; it is not, or is cut short: {error}"
        ) from error


class _Reader:
    """Takes one value after another; raises ValueError where the bytes cannot be what is asked for."""

    def __init__(self, content: bytes) -> None:
        self._content, self._at = content, 0

    def take(self, count: int) -> bytes:
        piece = self._content[self._at : self._at + count]
        if count < 0 or len(piece) != count:
            raise ValueError(f"{count} bytes wanted at byte {self._at}, {len(piece)} there")
        self._at += count
        return piece

    def integer(self) -> int:
        head = self.take(1)[0]
        count = head & _COUNT
        if not 1 <= count <= _LONGEST_INTEGER:
            raise ValueError(f"no integer at byte {self._at - 1}")
        value = int.from_bytes(self.take(count), "little")
        return -value if head & _SIGN else value

    def integers(self, count: int) -> tuple[int, ...]:
        return tuple(self.integer() for _ in range(count))

    def real(self) -> float:
        mantissa, exponent = self.integers(2)
        return float(np.ldexp(float(mantissa), exponent))

    def bools(self, count: int) -> None:
        if set(flags := self.take(count)) - set(b"01"):
            raise ValueError(f"bools wanted, got {flags!r}")

    def text(self) -> str:
        return self.take(self.integer()).decode("ascii")

    def tensor(self) -> Floats:
        self.expect(2, "the version of a tensor")
        sizes = self.integers(4)
        return np.frombuffer(self.take(4 * math.prod(sizes)), "<f4").astype(np.float32).reshape(sizes)

    def expect(self, wanted: int, what: str) -> None:
        if (found := self.integer()) != wanted:
            raise ValueError(f"{what} must be {wanted}, got {found}")

    @property
    def done(self) -> bool:
        return self._at == len(self._content)


def _network(reader: _Reader) -> DlibNetwork:
    reader.expect(1, "the version of the loss")
    if not reader.text().startswith("loss_metric"):
        raise ValueError("its loss is no metric loss")
    reader.real(), reader.real()  # margin and threshold
    count = _layers(reader)
    if not reader.text().startswith("input_rgb_image"):
        raise ValueError("its input is no RGB picture")
    mean = np.array([reader.real() for _ in range(3)], np.float32)
    height, width = reader.integers(2)
    if height != width:
        raise ValueError(f"its pictures are {width} × {height}, not square")
    layers = tuple(_layer(reader, innermost=number == 0) for number in range(count))
    if not reader.done:
        raise ValueError("bytes are left over")
    return DlibNetwork(mean, height, layers)


def _layers(reader: _Reader) -> int:
    """Passes the versions and returns how many layers there are."""
    count = 0
    for _ in range(_MOST_LAYERS):
        version = reader.integer()
        if version not in (_TAG, _LAYER, _INNERMOST):
            raise ValueError(f"the version of a layer must be 1, 2 or 3, got {version}")
        count += version != _TAG
        if version == _INNERMOST:
            return count
    raise ValueError(f"more than {_MOST_LAYERS} layers")


def _layer(reader: _Reader, *, innermost: bool) -> DlibLayer:
    name = reader.text()
    kind = name.rstrip("0123456789").rstrip("_")
    if kind not in _CONTENTS:
        raise ValueError(f"the layer {name!r} is unknown")
    layer = _CONTENTS[kind](reader)
    reader.bools(3)  # set up, gradient stale, outputs disabled
    for _ in range(3):  # gradient, output, gradient of the weights: empty in a saved network
        reader.tensor()
    if innermost:
        reader.expect(1, "the pictures per sample")
    return layer


def _convolution(reader: _Reader) -> DlibLayer:
    weights = reader.tensor().ravel()
    numbers = reader.integers(_CONVOLUTION_INTEGERS)
    reader.integers(2 * _ALIAS_INTEGERS)  # where in the weights filters and biases lie
    _rates(reader)
    return DlibLayer("con", numbers, weights)


def _affine(reader: _Reader) -> DlibLayer:
    weights = reader.tensor().ravel()
    reader.integers(2 * _ALIAS_INTEGERS + 1)
    return DlibLayer("affine", (), weights)


def _fully_connected(reader: _Reader) -> DlibLayer:
    numbers = reader.integers(2)
    weights = reader.tensor().ravel()
    reader.integers(2 * _ALIAS_INTEGERS)
    reader.expect(1, "the kind of bias (1 = none)")
    _rates(reader)
    return DlibLayer("fc", numbers, weights)


def _pool(kind: str, reader: _Reader) -> DlibLayer:
    return DlibLayer(kind, reader.integers(_POOL_INTEGERS), np.zeros(0, np.float32))


def _rates(reader: _Reader) -> None:
    for _ in range(4):  # learning rates and weight decays
        reader.real()


def _bare(kind: str, _: _Reader) -> DlibLayer:
    return DlibLayer(kind, (), np.zeros(0, np.float32))


_CONTENTS: dict[str, Callable[[_Reader], DlibLayer]] = {
    "con": _convolution,
    "affine": _affine,
    "fc": _fully_connected,
    "max_pool": partial(_pool, "max_pool"),
    "avg_pool": partial(_pool, "avg_pool"),
    "relu": partial(_bare, "relu"),
    "add_prev": partial(_bare, "add_prev"),
}
