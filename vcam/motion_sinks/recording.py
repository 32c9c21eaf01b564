"""What the motion source sees, as a recording, while the avatar is shown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import InputError
from engine.recording import RecordingWriter
from engine.resource import Resource
from vcam.files import named_path
from vcam.motion import Observation, motion_vector
from vcam.protocols.face import StreamedFace
from vcam.sources import RECORDING_ENDING

if TYPE_CHECKING:
    from vcam.build import Builder


def open_motion_sink(builder: Builder, argument: str) -> RecordingSink:
    """``argument``: the file, .z, which must not exist. Raises InputError."""
    return RecordingSink(named_path(argument, builder.config_path))


class RecordingSink(Resource):
    """Writes each observation."""

    def __init__(self, path: Path) -> None:
        """Raises InputError when the name has another ending than recordings have, exists or cannot be written."""
        if path.suffix != RECORDING_ENDING:
            raise InputError(
                f"{path} must end in {RECORDING_ENDING}, got {path.suffix or 'no ending'}: it is played again by that ending."
            )
        self.name = str(path)
        self.writer = RecordingWriter(path)

    def send(self, observation: Observation | None, shown: StreamedFace | None = None) -> None:
        """Raises InputError when the disk takes no more."""
        del shown
        if observation is not None:
            driver = observation.driver
            self.writer.write(
                observation.time_s,
                None if driver is None else motion_vector(driver),
                relative=observation.relative,
                driver=observation.driver_number,
            )

    def close(self) -> None:
        self.writer.close()
