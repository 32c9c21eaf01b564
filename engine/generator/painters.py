"""What makes a picture of a photograph and a moment: the network on some engine, and a compositor on the same device."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from engine.generator.compose_fast import Compositor, PackedLayers
from engine.generator.variants import STATE_CHANNELS
from engine.runtime.bundle import Bundle
from engine.runtime.engines import ENGINES, Workshop
from engine.runtime.sessions import Session
from engine.values import Corrections, Floats, Picture


@dataclass(frozen=True)
class Source:
    """A photograph, ready to be animated.

    foreground, plate  (S, S, 3) uint8
    matte              (S, S) 0…1
    layers             the same as the compositor on the CPU reads them
    features           F_s by input name
    """

    foreground: Picture
    matte: Floats
    plate: Picture
    layers: PackedLayers
    features: Mapping[str, Floats]


@dataclass(frozen=True)
class Moment:
    """What one frame's picture is made of.

    feeds          z (1, 261), guide (1, 5, G, G), prior (1, 2, T, T) by input name
    flow           (S, S, 2) the flow prior in crop coordinates
    render         (S, S, 3) uint8, I_3D
    render_weight  (S, S) 0…1, where I_3D replaces the photograph
    strength       0…1, how much of the network's corrections is taken
    """

    feeds: Mapping[str, Floats]
    flow: Floats
    render: Picture
    render_weight: Floats
    strength: float = 1.0


class Painter(Protocol):
    """One engine's way from a moment to the picture. One thread at a time may use it."""

    engine: str

    def paint(self, source: Source, moment: Moment, corrections: Corrections = "new") -> Picture:
        """(S, S, 3) uint8 RGB, overwritten by the next call. Raises whatever the engine's library raises, or ArithmeticError."""


class CpuPainter:
    """Any session, and the compositor on the CPU."""

    def __init__(self, session: Session, bundle: Bundle, threads: int) -> None:
        variant = bundle.variant
        self.engine, self._session, self._mix = session.engine, session, bundle.picture_mix
        self._compositor = Compositor(variant.size, variant.output_size, threads=threads)
        self._nothing = np.zeros((STATE_CHANNELS, variant.output_size, variant.output_size), np.float32)
        self._weakened = self._nothing.copy()
        self._state: Floats | None = None  # the network's last answer, for this photograph:
        self._source: Source | None = None

    def paint(self, source: Source, moment: Moment, corrections: Corrections = "new") -> Picture:
        """See ``Painter.paint``."""
        state = self._nothing if corrections == "none" else self._corrections(source, moment, anew=corrections == "new")
        if moment.strength < 1:
            state = np.multiply(state, np.float32(moment.strength), out=self._weakened)
        return self._compositor.compose(
            state, moment.flow, source.layers, render=moment.render, render_weight=moment.render_weight, mix=self._mix
        )

    def _corrections(self, source: Source, moment: Moment, *, anew: bool) -> Floats:
        """The network's answer (6, R, R), valid until it is asked anew."""
        if anew or self._state is None or source is not self._source:
            self._state, self._source = None, source  # nothing is kept of a run that fails
            state = self._session.run({**moment.feeds, **source.features})["state"][0]
            if not math.isfinite(float(state.sum())):
                raise ArithmeticError("the network gave values that are not finite")
            self._state = state
        return self._state


def open_painter(bundle: Bundle, engine: str, *, threads: int, workshop: Workshop | None = None) -> Painter:
    """The painter of the named engine ("auto": the first that works), self-tested; raises ConfigError, AssetError."""
    session: Any = bundle.open("frame", engine, threads=threads, workshop=workshop)
    if ENGINES[session.engine].on_device:
        from engine.generator.paint_torch import TorchPainter  # here, because it needs torch

        return TorchPainter(session, bundle)
    return CpuPainter(session, bundle, threads)
