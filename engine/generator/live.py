"""The generator as live use sees it: numpy in, numpy out, without torch. ``Generator.prepare`` once, ``generate`` often."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.generator.compose_fast import Compositor, PackedLayers, pack
from engine.generator.variants import GUIDE_CHANNELS
from engine.runtime import available_threads
from engine.runtime.bundle import LIVE_BUNDLE, read_bundle
from engine.values import COEFFICIENTS, Floats, Picture

REMEMBERED = 4  # photographs whose F_s is kept, so that going back to one is instant


@dataclass(frozen=True)
class Source:
    """A photograph, ready to be animated: its layers and F_s."""

    layers: PackedLayers
    features: Mapping[str, Floats]


class Generator:
    """One exported generator with its compositor.

    ``generate`` belongs to one thread; ``prepare`` may run on another at the same time. S is ``size``, the picture's side.
    """

    def __init__(self, folder: Path = LIVE_BUNDLE, *, backend: str = "auto", threads: int | None = None) -> None:
        """Open the bundle; slow (about a second). Raises AssetError, ConfigError."""
        threads = threads or available_threads()
        bundle = read_bundle(folder)
        variant = bundle.variant
        self.size, self.guide_size, self._top = variant.size, variant.guide_size, variant.top
        self._encoder = bundle.open("source", backend, threads=threads)
        self._network = bundle.open("frame", backend, threads=threads)
        self._mix = bundle.picture_mix
        self._compositor = Compositor(variant.size, variant.output_size, threads=threads)
        self._z = np.zeros((1, COEFFICIENTS), np.float32)
        self._prior = np.zeros((1, 2, variant.top, variant.top), np.float32)
        self._remembered: OrderedDict[str, dict[str, Floats]] = OrderedDict()
        self._encoding = threading.Lock()
        self._source: Source | None = None

    @property
    def backend(self) -> str:
        """The backend that runs the networks."""
        return self._network.backend

    def prepare(self, foreground: Picture, matte: Floats, plate: Picture, photo: Picture) -> Source:
        """Layers and F_s of a photograph; slow (tens of milliseconds).

        foreground, plate, photo (S, S, 3) uint8; matte (S, S) 0…1, 1 = person. The plate is what lies behind the person;
        matte·foreground + (1 − matte)·plate should be the photograph.
        """
        shape = (self.size, self.size, 3)
        foreground, plate = _checked("foreground", foreground, shape, np.uint8), _checked("plate", plate, shape, np.uint8)
        matte, photo = _checked("matte", matte, shape[:2], np.float32), _checked("photo", photo, shape, np.uint8)
        return Source(pack(foreground, matte, plate), self._encode(photo))

    def use(self, source: Source) -> None:
        """Animate this photograph from the next ``generate`` on; instant."""
        self._source = source

    def set_source(self, foreground: Picture, matte: Floats, plate: Picture, photo: Picture) -> None:
        """``prepare`` and ``use``."""
        self.use(self.prepare(foreground, matte, plate, photo))

    def generate(self, z: Floats, guide: Floats, prior_flow: Floats, render: Picture, render_weight: Floats) -> Picture:
        """The picture (S, S, 3) uint8 RGB, overwritten by the next call. Raises RuntimeError before the first ``use``.

        z (261,) · guide (1, 5, G, G), see ``make_guide`` · prior_flow (S, S, 2) in crop coordinates · render (S, S, 3) uint8,
        I_3D · render_weight (S, S) 0…1, where I_3D replaces the photograph. float32 where not said otherwise; ValueError
        for other shapes and types.
        """
        if self._source is None:
            raise RuntimeError("generate() needs a photograph: call set_source() or use() first")
        square = (self.size, self.size)
        guide = _checked("guide", guide, (1, GUIDE_CHANNELS, self.guide_size, self.guide_size), np.float32)
        prior_flow = _checked("prior_flow", prior_flow, (*square, 2), np.float32)
        render = _checked("render", render, (*square, 3), np.uint8)
        render_weight = _checked("render_weight", render_weight, square, np.float32)
        self._z[0] = z
        small = cv2.resize(prior_flow, (self._top, self._top), interpolation=cv2.INTER_AREA)
        self._prior[0] = small.transpose(2, 0, 1)
        feeds = {"z": self._z, "guide": guide, "prior": self._prior, **self._source.features}
        state = self._network.run(feeds)["state"][0]
        return self._compositor.compose(
            state, prior_flow, self._source.layers, render=render, render_weight=render_weight, mix=self._mix
        )

    def _encode(self, photo: Picture) -> dict[str, Floats]:
        """F_s by input name, from memory when this photograph was seen lately."""
        key = hashlib.sha256(photo.tobytes()).hexdigest()
        with self._encoding:
            if key not in self._remembered:
                picture = (photo.astype(np.float32) / 127.5 - 1).transpose(2, 0, 1)[None]
                outputs = self._encoder.run({"photo": np.ascontiguousarray(picture)})
                self._remembered[key] = {name: features.copy() for name, features in outputs.items()}
            self._remembered.move_to_end(key)
            while len(self._remembered) > REMEMBERED:
                self._remembered.popitem(last=False)
            return self._remembered[key]


def _checked(name: str, array: NDArray[Any], shape: tuple[int, ...], dtype: type[np.generic]) -> NDArray[Any]:
    """The array, copied only if it is not contiguous; compiled code would read beyond a smaller one."""
    if array.shape != shape or array.dtype != dtype:
        raise ValueError(f"{name} must be {dtype.__name__} {shape}, got {array.dtype} {array.shape}")
    return np.ascontiguousarray(array)


def make_guide(render: Picture, coverage: Floats, render_weight: Floats, size: int, out: Floats | None = None) -> Floats:
    """The network's guide (1, 5, size, size): I_3D −1…1, coverage, render weight k; by averaging, into ``out`` when given.

    render (S, S, 3) uint8 · coverage (S, S) 1 where the head mesh covers the picture · render_weight (S, S) 0…1.
    """
    guide = np.empty((1, GUIDE_CHANNELS, size, size), np.float32) if out is None else out
    picture = cv2.resize(render, (size, size), interpolation=cv2.INTER_AREA)
    np.multiply(picture.transpose(2, 0, 1), np.float32(1 / 127.5), out=guide[0, :3])
    guide[0, :3] -= 1
    cv2.resize(coverage, (size, size), dst=guide[0, 3], interpolation=cv2.INTER_AREA)
    cv2.resize(render_weight, (size, size), dst=guide[0, 4], interpolation=cv2.INTER_AREA)
    return guide
