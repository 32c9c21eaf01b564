"""What a frame renderer draws from: a photograph, encoded once, and the inputs of one frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.generator.compose_fast import PackedLayers, pack, recoloured
from engine.values import Floats, Picture


@dataclass(frozen=True)
class EncodedPhotograph:
    """A photograph, ready to be animated by the generator.

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

    def with_layers(self, foreground: Picture, matte: Floats, plate: Picture) -> EncodedPhotograph:
        """The same photograph, as the network sees it, composed of other layers; fast where the matte is its own."""
        layers = recoloured(self.layers, foreground, plate) if matte is self.matte else pack(foreground, matte, plate)
        return replace(self, foreground=foreground, matte=matte, plate=plate, layers=layers)


@dataclass(frozen=True)
class RenderInputs:
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


def checked_array(name: str, array: NDArray[Any], shape: tuple[int, ...], dtype: type[np.generic]) -> NDArray[Any]:
    """The array, copied only if it is not contiguous; raises ValueError for another shape or type."""
    if array.shape != shape or array.dtype != dtype:
        raise ValueError(f"{name} must be {dtype.__name__} {shape}, got {array.dtype} {array.shape}")
    return np.ascontiguousarray(array)
