"""The live program's threads: tracking and drawing each on one, newest wins between them; the sink's clock stays in the caller's.

```
camera ── Frame ──▶ Performer ── Cue (numbers only) ──▶ Portrayer ── picture ──▶ Screen ◀── SinkLoop
                    thread "tracking"                   thread "avatar"                     main thread
```
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

from engine.errors import HifiHeadError
from vcam.avatar import Avatar
from vcam.cue import Cue
from vcam.governor import Governor
from vcam.messages import Messages, log_failure
from vcam.performer import Performer
from vcam.portrayer import Portrayer
from vcam.prediction import Predictor
from vcam.screen import Screen, Shown
from vcam.seams import Animator, Camera, Clock
from vcam.slot import Slot

TICK_S = 1 / 30  # how often the avatar moves while no frames come
WAIT_S = 0.1
JOIN_S = 5.0

Prepare = Callable[[Path], Avatar]
OpenStudio = Callable[[], tuple[Animator, Prepare]]
"""Opens the engine: what draws, and what prepares a photograph (from any thread)."""


class Live:
    """``start``, then let a ``SinkLoop`` show ``screen``; ``failure`` holds what made a thread give up; ``close`` ends all."""

    def __init__(
        self,
        photo: Path,
        camera: Camera,
        performer: Performer,
        open_studio: OpenStudio,
        make_portrayer: Callable[[Animator], Portrayer],
        *,
        screen: Screen,
        clock: Clock,
        messages: Messages,
        governor: Governor,
        fps: int = 30,
    ) -> None:
        self._photo, self._camera, self._performer = photo, camera, performer
        self._open_studio, self._make_portrayer = open_studio, make_portrayer
        self.screen, self._clock, self._messages = screen, clock, messages
        self._governor, self._period_s = governor, 1 / fps
        self._cues: Slot[Cue] = Slot()
        self._photos: Slot[Path] = Slot()
        self._stop = Event()
        self._awake = Event()
        self._awake.set()
        self._predictor = Predictor(self._period_s)
        self._due_s = 0.0  # when the next picture is to be drawn
        self._prepare: Prepare | None = None
        self._portrayer: Portrayer | None = None
        self._live = False  # whether the avatar was shown
        self._threads: list[Thread] = []
        self.failure: HifiHeadError | None = None

    def start(self) -> Live:
        """Starts tracking, drawing and preparing, each on its thread."""
        work = {"tracking": self._track_forever, "avatar": self._draw_forever, "photos": self._swap_forever}
        self._threads = [Thread(target=self._guarded, args=(target,), name=name, daemon=True) for name, target in work.items()]
        for thread in self._threads:
            thread.start()
        return self

    def swap(self, photo: Path) -> None:
        """Changes the portrait as soon as it is prepared; until then, and when it cannot be used, the present one stays."""
        self._photos.put(photo)

    def rest(self) -> None:
        """Gives the webcam back and lets all threads wait; the last picture stays on the screen."""
        self._awake.clear()
        self._camera.rest()
        self.screen.rest()

    def wake(self) -> None:
        """Ends ``rest``: the avatar idles at once, and follows as soon as the webcam delivers."""
        self.screen.wake(self._clock.now())
        self._governor.settle()
        self._camera.wake()
        self._awake.set()

    def recalibrate(self) -> None:
        """Takes the driver's next face as the one at rest."""
        self._performer.recalibrate()

    def close(self) -> None:
        self._stop.set()
        self._awake.set()
        self._cues.close()
        self._photos.close()
        self._camera.close()
        for thread in self._threads:
            thread.join(JOIN_S)
        self._performer.close()
        if self._portrayer is not None:
            self._portrayer.close()

    def _guarded(self, target: Callable[[], None]) -> None:
        """Runs a thread's work. What ends it before the avatar is live becomes ``failure``; later, it is begun again."""
        while not self._stop.is_set():
            try:
                return target()
            except HifiHeadError as error:
                problem = error
            except Exception as error:  # noqa: BLE001 — a thread must not end unnoticed
                problem = HifiHeadError(f"The program failed unexpectedly ({type(error).__name__}: {error}).")
                log_failure("The thread's work")
            if not self._live:
                self.failure = problem
                return None
            self._messages.say_rarely("thread", f"{problem} It goes on.")
            self._stop.wait(1.0)

    def _track_forever(self) -> None:
        self._performer.prepare_tracker()
        frames = itertools.count()
        while True:
            if not self._awake.is_set():
                self._awake.wait()
                self._performer.resume()
            frame = self._camera.take(TICK_S)
            if self._stop.is_set():
                return
            if frame is not None and next(frames) % self._governor.level.track_every:
                continue
            with self._governor.working("tracking"):
                cue = self._performer.step(frame)
            if cue is not None:
                self._cues.put(cue)

    def _draw_forever(self) -> None:
        if self._portrayer is None:
            animator, prepare = self._open_studio()
            self._offer(prepare(self._photo))
            self._prepare = prepare  # only now: a swap asked for meanwhile must come after the first photograph
            self._portrayer = self._make_portrayer(animator)
        while not self._stop.is_set():
            cue = self._next_cue()
            if cue is not None:
                self._draw(self._portrayer, cue)

    def _next_cue(self) -> Cue | None:
        """The newest cue; or, when the tracker is slower than the output, what the motion has become meanwhile."""
        wait_s = max(0.0, self._due_s - self._clock.now())
        if self._governor.level.slowness > 1:
            self._stop.wait(wait_s)
        cue = self._cues.take(wait_s if self._predictor.active else WAIT_S)
        if cue is None:
            return self._predictor.predict(self._clock.now())
        self._predictor.learn(cue, self._clock.now())
        return cue

    def _draw(self, portrayer: Portrayer, cue: Cue) -> None:
        level = self._governor.level
        self._due_s = self._clock.now() + level.slowness * self._period_s
        with self._governor.working("drawing"):
            picture = portrayer.portray(cue, level.network_every)
        avatar, now = cue.avatar.name, self._clock.now()
        self.screen.show(Shown(picture, cue.motion.state, avatar, cue.captured_s, shown_s=now, engine=portrayer.engine))
        if not self._live:
            self._live = True
            self._governor.settle()

    def _swap_forever(self) -> None:
        while not self._stop.is_set():
            photo = self._photos.take(0.2)
            prepare = self._prepare
            if photo is None:
                continue
            if prepare is None:  # still starting: come back to it
                self._photos.put(photo)
                self._stop.wait(0.2)
                continue
            avatar = self._messages.attempt("photo", f"Preparing {photo}", lambda prepare=prepare, photo=photo: prepare(photo))  # type: ignore[misc]
            if avatar is not None:
                self._offer(avatar)

    def _offer(self, avatar: Avatar) -> None:
        for note in avatar.notes:
            self._messages.say(note)
        self._performer.offer(avatar)
