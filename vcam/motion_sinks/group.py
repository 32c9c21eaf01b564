"""All motion sinks of a session together, and what they are told."""

from __future__ import annotations

import numpy as np

from engine.resource import Resource
from engine.values import BLINKS, EXPRESSION_NAMES, Coefficients
from vcam.interfaces import MotionSink
from vcam.messages import Messages
from vcam.motion import MotionFrame, Observation
from vcam.protocols.face import StreamedFace, with_looks


def departure(motion: MotionFrame, rest: Coefficients) -> StreamedFace:
    """What an avatar shows, as departure from its portrait at ``rest`` (z_s): what another avatar has to do to do the same."""
    named = len(EXPRESSION_NAMES)
    scores = np.clip(motion.z.expression[:named] - rest.expression[:named], 0, 1)
    own = rest.expression[BLINKS]
    scores[BLINKS] = np.clip((motion.z.expression[BLINKS] - own) / np.maximum(1 - own, 0.1), 0, 1)
    pose, gaze = motion.z.pose - rest.pose, (motion.z.gaze - rest.gaze).astype(np.float32)
    found = motion.state in ("driving", "holding")
    return StreamedFace(with_looks(scores, gaze), pose[:3], pose[3:], gaze, found, motion.time_s)


class MotionSinks(Resource):
    """Tells each of them; one that fails is told about and left out. Belongs to the motion thread."""

    def __init__(self, messages: Messages) -> None:
        self._sinks, self._messages = list[MotionSink](), messages

    def add(self, sink: MotionSink) -> None:
        """From now on it is its own."""
        self._sinks.append(sink)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(sink.name for sink in self._sinks)

    def send(self, observation: Observation | None, motion: MotionFrame, rest: Coefficients) -> None:
        """What the source saw, if it said something, and what the avatar shows; ``rest``: z_s of the avatar."""
        if not self._sinks:
            return
        shown = departure(motion, rest)
        for sink in tuple(self._sinks):
            if not self._sent(sink, observation, shown):
                self._sinks.remove(sink)
                self._messages.attempt("motion sink", f"Closing {sink.name}", sink.close)

    def _sent(self, sink: MotionSink, observation: Observation | None, shown: StreamedFace) -> bool:
        def send() -> bool:
            sink.send(observation, shown)
            return True

        return self._messages.attempt("motion sink", f"Sending to {sink.name}", send) is True

    def close(self) -> None:
        for sink in self._sinks:
            self._messages.attempt("motion sink", f"Closing {sink.name}", sink.close)
        self._sinks.clear()
