"""Moves the avatar by coefficients of one's own: it nods, and the camera sends it.

python examples/own_coefficients.py preview          until Ctrl-C, on the preview page
python examples/own_coefficients.py file:nod.mp4 60  60 pictures into a file
"""

from __future__ import annotations

import sys

import numpy as np

from engine.values import Coefficients
from vcam.build import Builder
from vcam.config import CameraSettings, OutputSettings, Settings
from vcam.interfaces import Clock
from vcam.motion import Observation
from vcam.session import Session
from vcam.signals import ending
from vcam.sources import SOURCES, SourceKind
from vcam.sources.coefficients import CoefficientSource

NODS_PER_S = 0.5
NOD_RAD = np.radians(8)


class Nodding(CoefficientSource):
    """A motion source; ``relative`` coefficients are what is added to the portrait's own."""

    def __init__(self, clock: Clock) -> None:
        super().__init__("nodding")
        self._clock = clock

    def observe(self) -> Observation:
        """The nod at this moment."""
        now, change = self._clock.now(), Coefficients.neutral()
        change.pose[0] = NOD_RAD * np.sin(2 * np.pi * NODS_PER_S * now)  # pitch
        return Observation(change, now, relative=True)


def open_source(builder: Builder, argument: str) -> Nodding:
    """What ``SOURCES`` calls."""
    del argument
    return Nodding(builder.clock)


SOURCES["nodding"] = SourceKind(__name__, "nodding", "a head that nods")


def main(sink: str, frames: int | None) -> None:
    """Runs until Ctrl-C, or until so many pictures were sent."""
    settings = Settings(camera=CameraSettings(source="nodding"), output=OutputSettings(sink=sink, width_px=512, height_px=512))
    with ending() as ended, Session(Builder(settings)) as session:
        session.start()
        session.run(ended, frames=frames)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else None)
