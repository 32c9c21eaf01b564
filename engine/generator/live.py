"""The generator as live use sees it: numpy in, numpy out, without torch. ``Generator.prepare`` once, ``generate`` often."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import cv2
import numpy as np

from engine.components import COMPONENTS
from engine.generator.frame_renderer import FrameRenderer, open_frame_renderer
from engine.generator.guide import make_guide
from engine.generator.manifest import LIVE_BUNDLE, Bundle, read_bundle
from engine.generator.photograph import PhotographEncoder
from engine.generator.refinement import Refinement
from engine.generator.render_inputs import EncodedPhotograph, RenderInputs, checked_array
from engine.generator.variants import GUIDE_CHANNELS
from engine.generator.verification import VerificationPicture, make_verification_picture
from engine.resource import Resource
from engine.runtime import available_threads
from engine.runtime.cache import ignore
from engine.runtime.engines import FIRST
from engine.runtime.selection import EngineSelector
from engine.values import COEFFICIENTS, Corrections, Floats, Picture

__all__ = ["Generator", "make_guide"]

ALL = np.ones(len(COMPONENTS), np.float32)


class Generator(Resource):
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
        fixed: bool = False,
    ) -> None:
        """Open the bundle; slow (about a second; a named engine that must be built, minutes). Raises AssetError, ConfigError.

        ``say`` takes sentences about the engines for the user. ``fixed``: the engine that was opened draws every picture, and
        no better one is looked for, so that results are reproducible.
        """
        threads = threads or available_threads()
        bundle = read_bundle(folder)
        variant = self._variant = bundle.variant
        self.size, self.guide_size, self._top = variant.size, variant.guide_size, variant.top
        self._z = np.zeros((1, COEFFICIENTS), np.float32)
        self._prior = np.zeros((1, 2, variant.top, variant.top), np.float32)
        self._source: EncodedPhotograph | None = None
        ready = engine if engine in FIRST else "auto"  # at once: F_s is needed once per photograph,
        with ExitStack() as opened:
            self._encoder = opened.enter_context(PhotographEncoder(bundle.open("source", ready, threads=threads), variant.size))
            self._refinement: Refinement | None = None
            if variant.has_refiner:
                # and mouth and eyes are small, and in a picture that is on the CPU when it is drawn: one thread will do
                refiner = opened.enter_context(bundle.open("refiner", ready, threads=1))
                self._refinement = Refinement(refiner, variant)
            self._selector = renderer_selector(
                bundle, engine, threads=threads, make_picture=self.verification_picture, say=say, fixed=fixed
            )
            self._opened = opened.pop_all()

    @property
    def engine(self) -> str:
        """The engine that runs the network now."""
        return self._selector.engine

    @property
    def engine_status(self) -> str:
        """The engine, and what is being built, for the user."""
        return self._selector.status

    def verification_picture(self) -> VerificationPicture:
        """The picture by which engines are compared."""
        return make_verification_picture(self._variant, self.prepare)

    def prepare(self, foreground: Picture, matte: Floats, plate: Picture, photo: Picture) -> EncodedPhotograph:
        """Layers and F_s of a photograph; slow (tens of milliseconds). The arrays are kept and must not be changed.

        foreground, plate, photo (S, S, 3) uint8; matte (S, S) 0…1, 1 = person. The plate is what lies behind the person;
        matte·foreground + (1 − matte)·plate should be the photograph.
        """
        return self._encoder.prepare(foreground, matte, plate, photo)

    def use(self, source: EncodedPhotograph) -> None:
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
        trust: Floats | None = None,
        *,
        corrections: Corrections = "new",
        strength: float = 1.0,
    ) -> Picture:
        """The picture (S, S, 3) uint8 RGB, overwritten by the next call. Raises RuntimeError before the first ``use``.

        z (261,) · guide (1, 5, G, G), see ``make_guide`` · prior_flow (S, S, 2) in crop coordinates · render (S, S, 3) uint8,
        I_3D · render_weight (S, S) 0…1, where I_3D replaces the photograph · components (3, 2)
        the middles of mouth, right and left eye in crop coordinates · trust (3,) 0…1, how far the refiner's corrections of each
        are made, all when it is left out. float32 where not said otherwise; ValueError for other
        shapes and types. ``corrections`` other than "new" spare the network's run; of them ``strength`` 0…1 is taken.
        AssetError when no engine is left.
        """
        source = self._source
        if source is None:
            raise RuntimeError("generate() needs a photograph: call set_source() or use() first")
        square = (self.size, self.size)
        guide = checked_array("guide", guide, (1, GUIDE_CHANNELS, self.guide_size, self.guide_size), np.float32)
        prior_flow = checked_array("prior_flow", prior_flow, (*square, 2), np.float32)
        render = checked_array("render", render, (*square, 3), np.uint8)
        render_weight = checked_array("render_weight", render_weight, square, np.float32)
        components = checked_array("components", components, (len(COMPONENTS), 2), np.float32)
        self._z[0] = z
        small = cv2.resize(prior_flow, (self._top, self._top), interpolation=cv2.INTER_AREA)
        self._prior[0] = small.transpose(2, 0, 1)
        feeds = {"z": self._z, "guide": guide, "prior": self._prior}
        inputs = RenderInputs(feeds, prior_flow, render, render_weight, strength)
        picture = self._selector.run(lambda renderer: renderer.render(source, inputs, corrections))
        if self._refinement is not None and corrections != "none":
            self._refinement.apply(picture, render, render_weight, components, strength * (ALL if trust is None else trust))
        return picture

    def close(self, timeout_s: float | None = None) -> None:
        """Ends the search for better engines, waiting at most ``timeout_s`` for it, and frees the networks."""
        self._selector.close(timeout_s)
        self._opened.close()


def renderer_selector(
    bundle: Bundle,
    engine: str,
    *,
    threads: int,
    make_picture: Callable[[], VerificationPicture],
    say: Callable[[str], None],
    fixed: bool = False,
) -> EngineSelector[FrameRenderer]:
    """The selector of a bundle's frame renderers; ``make_picture`` is called when the first engine is to be compared."""
    made: list[VerificationPicture] = []

    def answer(renderer: FrameRenderer) -> Floats:
        if not made:
            made.append(make_picture())
        return made[0].answer(renderer)

    return EngineSelector(
        engine,
        lambda name, context: open_frame_renderer(bundle, name, threads=threads, context=context),
        answer,
        peak=255.0,
        say=say,
        fixed=fixed,
    )
