"""What draws a frame: the network on some engine, and a compositor on the same device."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Protocol

import numpy as np

from engine.generator.compose_fast import Compositor
from engine.generator.manifest import Bundle
from engine.generator.render_inputs import EncodedPhotograph, RenderInputs
from engine.generator.variants import STATE_CHANNELS
from engine.resource import Resource
from engine.runtime.engines import ENGINES, BuildContext
from engine.runtime.sessions import GraphSession
from engine.values import Corrections, Floats, Picture


class FrameRenderer(Protocol):
    """A context manager. One engine's way from the inputs to the picture. One thread at a time may use it."""

    engine: str

    def render(self, source: EncodedPhotograph, inputs: RenderInputs, corrections: Corrections = "new") -> Picture:
        """(S, S, 3) uint8 RGB, overwritten by the next call. Raises whatever the engine's library raises, or ArithmeticError."""

    def close(self) -> None:
        """Frees the network; a second call does nothing."""

    def __enter__(self) -> FrameRenderer: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...


class CpuFrameRenderer(Resource):
    """Any session, which it takes over, and the compositor on the CPU."""

    def __init__(self, session: GraphSession, bundle: Bundle, threads: int) -> None:
        variant = bundle.variant
        self.engine, self._session, self._mix = session.engine, session, bundle.picture_mix
        self._compositor = Compositor(variant.size, variant.output_size, threads=threads)
        self._nothing = np.zeros((STATE_CHANNELS, variant.output_size, variant.output_size), np.float32)
        self._weakened = self._nothing.copy()
        self._state: Floats | None = None  # the network's last answer, for this photograph:
        self._features: Mapping[str, Floats] | None = None

    def render(self, source: EncodedPhotograph, inputs: RenderInputs, corrections: Corrections = "new") -> Picture:
        """See ``FrameRenderer.render``."""
        state = self._nothing if corrections == "none" else self._corrections(source, inputs, anew=corrections == "new")
        if inputs.strength < 1:
            state = np.multiply(state, np.float32(inputs.strength), out=self._weakened)
        return self._compositor.compose(
            state, inputs.flow, source.layers, render=inputs.render, render_weight=inputs.render_weight, mix=self._mix
        )

    def close(self) -> None:
        """See ``FrameRenderer.close``."""
        self._session.close()
        self._compositor.close()

    def _corrections(self, source: EncodedPhotograph, inputs: RenderInputs, *, anew: bool) -> Floats:
        """The network's answer (6, R, R), valid until it is asked anew."""
        if anew or self._state is None or source.features is not self._features:
            self._state, self._features = None, source.features  # nothing is kept of a run that fails
            state = self._session.run({**inputs.feeds, **source.features})["state"][0]
            if not math.isfinite(float(state.sum())):
                raise ArithmeticError("the network gave values that are not finite")
            self._state = state
        return self._state


def open_frame_renderer(bundle: Bundle, engine: str, *, threads: int, context: BuildContext | None = None) -> FrameRenderer:
    """The renderer of the named engine ("auto": the first that works), self-tested; raises ConfigError, AssetError."""
    session: Any = bundle.open("frame", engine, threads=threads, context=context)
    try:
        if ENGINES[session.engine].on_device:
            from engine.generator.frame_renderer_torch import TorchFrameRenderer  # here, because it needs torch

            return TorchFrameRenderer(session, bundle)
        return CpuFrameRenderer(session, bundle, threads)
    except BaseException:
        session.close()
        raise
