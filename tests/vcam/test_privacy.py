"""A webcam picture exists in the cameras and the tracking stage only: by imports, by type, and by what stays in memory."""

from __future__ import annotations

import dataclasses
import gc
import pkgutil
import subprocess
import sys
import typing
import weakref
from pathlib import Path

import numpy as np
import pytest

import plugins
import vcam
from engine.picture import read_picture
from engine.values import Coefficients, Face, Square
from engine.video import Frame
from tests.fakes import FakeClock, Said
from vcam.avatars.avatar import BUNDLED_PORTRAIT
from vcam.build import Builder
from vcam.config import Settings
from vcam.messages import Messages
from vcam.motion import MotionFrame, Observation
from vcam.plugins import PluginContext
from vcam.snapshot import PluginState, Snapshot

VCAM = Path(vcam.__file__).parent
# packages whose modules draw, send and show; of the sources, all but the one that tracks
RENDERING_SIDE = ("avatars", "drive", "pipeline", "plugins", "sinks", "web")
HOLD_PICTURES = ("engine.video", "engine.track", "vcam.cameras", "vcam.sources.tracking")


def rendering_modules() -> list[str]:
    files = [path for package in RENDERING_SIDE for path in sorted((VCAM / package).glob("*.py"))]
    names = [f"vcam.{path.parent.name}.{path.stem}" for path in files if path.stem != "__init__"]
    shipped = [f"plugins.{module.name}" for module in pkgutil.walk_packages(plugins.__path__)]
    return [*names, *shipped, "vcam.motion", "vcam.interfaces", "vcam.snapshot"]


def test_what_draws_and_sends_imports_nothing_that_holds_pictures_of_a_camera() -> None:
    """Transitively, in an interpreter of its own."""
    modules = rendering_modules()
    assert "vcam.pipeline.rendering" in modules
    script = f"import importlib, sys\nfor name in {modules!r}: importlib.import_module(name)\nprint(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", script], cwd=VCAM.parent, capture_output=True, text=True, check=True
    ).stdout.split()
    assert "vcam.pipeline.threads" in loaded
    assert [name for name in loaded if name.startswith(HOLD_PICTURES)] == []


@pytest.mark.parametrize("value", [Face, Square, Coefficients, Observation, MotionFrame, Snapshot, PluginState, PluginContext])
def test_what_leaves_the_tracking_stage_has_no_field_for_a_picture(value: type) -> None:
    hints = typing.get_type_hints(value)
    assert {field.name for field in dataclasses.fields(value)} <= set(hints)
    assert not [name for name, kind in hints.items() if "uint8" in str(kind) or "Frame" in str(kind) or kind is typing.Any]


@pytest.mark.parametrize("regressor", ["landmarks", "network", "both"])
def test_the_picture_is_forgotten_as_soon_as_it_was_looked_at(regressor: str) -> None:
    """With the real tracker and regressors, on a real face."""
    said, clock = Said(), FakeClock()
    settings = Settings.model_validate({"tracking": {"regressor": regressor}})
    stage = Builder(settings, clock=clock, messages=Messages(said, clock), reproducible=True).tracking()
    try:
        stage.prepare()
        for step in range(3):
            frame = Frame(np.ascontiguousarray(read_picture(BUNDLED_PORTRAIT)[:640]), clock.now() + step / 30)
            picture = weakref.ref(frame.image)
            observation = stage.observe(frame)
            assert observation is not None
            assert observation.driver is not None
            del frame
            gc.collect()
            assert picture() is None
    finally:
        stage.close()
    assert said == []
