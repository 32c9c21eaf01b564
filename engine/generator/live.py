"""The generator as live use sees it: numpy in, numpy out, without torch. ``Generator.prepare`` once, ``generate`` often."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.components import COMPONENTS
from engine.generator.compose_fast import pack
from engine.generator.exam import Exam, make_exam
from engine.generator.guide import make_guide
from engine.generator.painters import Moment, Painter, Source, open_painter
from engine.generator.refinement import Refinement
from engine.generator.variants import GUIDE_CHANNELS
from engine.runtime import available_threads
from engine.runtime.bundle import LIVE_BUNDLE, Bundle, read_bundle
from engine.runtime.cache import ignore
from engine.runtime.engines import FIRST
from engine.runtime.ladder import Ladder
from engine.values import COEFFICIENTS, Corrections, Floats, Picture

__all__ = ["Generator", "Source", "make_guide"]

REMEMBERED = 4  # photographs whose F_s is kept, so that going back to one is instant


class Generator:
    """One exported generator with its compositor, on the best engine there is.

    ``generate`` belongs to one thread; ``prepare`` may run on another at the same time. S is ``size``, the picture's side.
    """

    def __init__(
        self,
        folder: Path = LIVE_BUNDLE,
        *,
        engine: str = "auto",
        threads: int | None = None,
        say: Callable[[str], None] = ignore,
    ) -> None:
        """Open the bundle; slow (about a second; a named engine that must be built, minutes). Raises AssetError, ConfigError.

        ``say`` takes sentences about the engines for the user.
        """
        threads = threads or available_threads()
        bundle = read_bundle(folder)
        variant = self._variant = bundle.variant
        self.size, self.guide_size, self._top = variant.size, variant.guide_size, variant.top
        ready = engine if engine in FIRST else "auto"  # at once: F_s is needed once per photograph,
        self._encoder = bundle.open("source", ready, threads=threads)
        # and mouth and eyes are small, and in a picture that is on the CPU when it is painted: one thread will do
        finer = bundle.open("refiner", ready, threads=1) if variant.has_refiner else None
        self._refinement = None if finer is None else Refinement(finer, variant)
        self._z = np.zeros((1, COEFFICIENTS), np.float32)
        self._prior = np.zeros((1, 2, variant.top, variant.top), np.float32)
        self._remembered: OrderedDict[str, dict[str, Floats]] = OrderedDict()
        self._encoding = threading.Lock()
        self._source: Source | None = None
        self._ladder = painters(bundle, engine, threads=threads, exam=self.exam, say=say)

    @property
    def engine(self) -> str:
        """The engine that runs the network now."""
        return self._ladder.engine

    @property
    def engine_status(self) -> str:
        """The engine, and what is being built, for the user."""
        return self._ladder.status

    def exam(self) -> Exam:
        """The picture by which engines are compared."""
        return make_exam(self._variant, self.prepare)

    def prepare(self, foreground: Picture, matte: Floats, plate: Picture, photo: Picture) -> Source:
        """Layers and F_s of a photograph; slow (tens of milliseconds). The arrays are kept and must not be changed.

        foreground, plate, photo (S, S, 3) uint8; matte (S, S) 0…1, 1 = person. The plate is what lies behind the person;
        matte·foreground + (1 − matte)·plate should be the photograph.
        """
        shape = (self.size, self.size, 3)
        foreground, plate = _checked("foreground", foreground, shape, np.uint8), _checked("plate", plate, shape, np.uint8)
        matte, photo = _checked("matte", matte, shape[:2], np.float32), _checked("photo", photo, shape, np.uint8)
        return Source(foreground, matte, plate, pack(foreground, matte, plate), self._encode(photo))

    def use(self, source: Source) -> None:
        """Animate this photograph from the next ``generate`` on; instant."""
        self._source = source

    def set_source(self, foreground: Picture, matte: Floats, plate: Picture, photo: Picture) -> None:
        """``prepare`` and ``use``."""
        self.use(self.prepare(foreground, matte, plate, photo))

    def generate(
        self,
        z: Floats,
        guide: Floats,
        prior_flow: Floats,
        render: Picture,
        render_weight: Floats,
        components: Floats,
        *,
        corrections: Corrections = "new",
        strength: float = 1.0,
    ) -> Picture:
        """The picture (S, S, 3) uint8 RGB, overwritten by the next call. Raises RuntimeError before the first ``use``.

        z (261,) · guide (1, 5, G, G), see ``make_guide`` · prior_flow (S, S, 2) in crop coordinates · render (S, S, 3) uint8,
        I_3D · render_weight (S, S) 0…1, where I_3D replaces the photograph · components (3, 2)
        the middles of mouth, right and left eye in crop coordinates. float32 where not said otherwise; ValueError for other
        shapes and types. ``corrections`` other than "new" spare the network's run; of them ``strength`` 0…1 is taken.
        AssetError when no engine is left.
        """
        source = self._source
        if source is None:
            raise RuntimeError("generate() needs a photograph: call set_source() or use() first")
        square = (self.size, self.size)
        guide = _checked("guide", guide, (1, GUIDE_CHANNELS, self.guide_size, self.guide_size), np.float32)
        prior_flow = _checked("prior_flow", prior_flow, (*square, 2), np.float32)
        render = _checked("render", render, (*square, 3), np.uint8)
        render_weight = _checked("render_weight", render_weight, square, np.float32)
        components = _checked("components", components, (len(COMPONENTS), 2), np.float32)
        self._z[0] = z
        small = cv2.resize(prior_flow, (self._top, self._top), interpolation=cv2.INTER_AREA)
        self._prior[0] = small.transpose(2, 0, 1)
        feeds = {"z": self._z, "guide": guide, "prior": self._prior}
        moment = Moment(feeds, prior_flow, render, render_weight, strength)
        picture = self._ladder.run(lambda painter: painter.paint(source, moment, corrections))
        if self._refinement is not None and corrections != "none":
            self._refinement.apply(picture, render, render_weight, components, strength)
        return picture

    def close(self) -> None:
        """Ends the search for better engines."""
        self._ladder.close()

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


def painters(
    bundle: Bundle, engine: str, *, threads: int, exam: Callable[[], Exam], say: Callable[[str], None]
) -> Ladder[Painter]:
    """The ladder of a bundle's painters; ``exam`` is made when the first engine is to be compared."""
    made: list[Exam] = []

    def answer(painter: Painter) -> Floats:
        if not made:
            made.append(exam())
        return made[0].answer(painter)

    return Ladder(
        engine,
        lambda name, workshop: open_painter(bundle, name, threads=threads, workshop=workshop),
        answer,
        peak=255.0,
        say=say,
    )


def _checked(name: str, array: NDArray[Any], shape: tuple[int, ...], dtype: type[np.generic]) -> NDArray[Any]:
    """The array, copied only if it is not contiguous; compiled code would read beyond a smaller one."""
    if array.shape != shape or array.dtype != dtype:
        raise ValueError(f"{name} must be {dtype.__name__} {shape}, got {array.dtype} {array.shape}")
    return np.ascontiguousarray(array)
