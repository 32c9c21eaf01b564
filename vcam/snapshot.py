"""The state of a session at one moment, as a value."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from engine.resource import Resource
from vcam.messages import Messages


@dataclass(frozen=True)
class PluginState:
    """A plug-in that was switched on.

    state      "on", or "off" where the program switched it off
    reason     why that was; "" where it is on
    order      0…100, those with smaller numbers are asked first
    budget_ms  what it may take for a picture
    ms         what it takes, the median; None while it takes part in no picture
    """

    name: str
    state: str
    reason: str = ""
    order: int = 0
    budget_ms: float = 0.0
    ms: float | None = None


@dataclass(frozen=True)
class Snapshot:
    """What a control panel shows.

    state       "starting", a ``vcam.motion.State``, "stalled", "resting" (nobody watches), "paused", "card" or "ended"
    avatar      file name of the photograph shown; "" before the first
    source      name of the motion source that moves the avatar
    sources     {name: "drives", "waits" or "rests"} of all motion sources, the highest priority first
    follows     whether a person moves the avatar, who can be calibrated to
    fps         new pictures per second that were sent lately
    latency_ms  median from the capture of a frame to the sending of its picture; None without one
    quality     name of the governor's level
    engine      what runs the networks, and what is being built
    sinks       names of the sinks
    motion_sinks  names of the programs and files that motion goes to
    watched     whether somebody takes the pictures, as far as that can be known
    paused      whether the user paused the camera
    card        whether the user asked for the card
    muted       whether plug-ins hear silence instead of the microphone
    message     the last sentence for the user
    stages      {stage: {"p50_ms", "p95_ms"}}
    plugins     those that were switched on
    """

    state: str
    avatar: str = ""
    source: str = ""
    sources: dict[str, str] = field(default_factory=dict)
    follows: bool = False
    fps: float = 0.0
    latency_ms: float | None = None
    quality: str = ""
    engine: str = ""
    sinks: tuple[str, ...] = ()
    motion_sinks: tuple[str, ...] = ()
    watched: bool = True
    paused: bool = False
    card: bool = False
    muted: bool = False
    message: str = ""
    stages: dict[str, dict[str, float]] = field(default_factory=dict)
    plugins: tuple[PluginState, ...] = ()


Listener = Callable[[Snapshot], None]


class Notifier(Resource):
    """Calls listeners with a fresh snapshot after each ``changed``, on a thread of its own; several changes may become one call.

    A listener that raises is told about and keeps being called. The thread exists only while there are listeners.
    """

    def __init__(self, snapshot: Callable[[], Snapshot], messages: Messages) -> None:
        self._snapshot, self._messages = snapshot, messages
        self._lock = threading.Lock()
        self._listeners: dict[int, Listener] = {}
        self._next = 0
        self._change = threading.Event()
        self._stop = False
        self._thread: threading.Thread | None = None

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Adds a listener, which hears the present state at once; returns what removes it again."""
        with self._lock:
            number, self._next = self._next, self._next + 1
            self._listeners[number] = listener
            if self._thread is None and not self._stop:
                self._thread = threading.Thread(target=self._run, name="notifier")
                self._thread.start()
        self.changed()

        def unsubscribe() -> None:
            with self._lock:
                self._listeners.pop(number, None)

        return unsubscribe

    def changed(self) -> None:
        """Something is different; may be called from any thread, and often."""
        self._change.set()

    def close(self) -> None:
        """After the last call of a listener."""
        with self._lock:
            self._stop, thread = True, self._thread
        self._change.set()
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def _run(self) -> None:
        while not self._stop:
            self._change.wait()
            self._change.clear()
            with self._lock:
                listeners = list(self._listeners.values())
            snapshot = self._snapshot()
            for listener in listeners:
                self._messages.attempt("listener", "Telling about a change", functools.partial(listener, snapshot))
