"""The pipeline's threads: motion and rendering each on one, newest wins between them; the sinks' clock stays in the caller's.

```
MotionSource ─ Observation ─▶ DrivingStage ─ MotionFrame ─▶ RenderStage ─ OutputFrame ─▶ LatestFrame ◀── SinkLoop
thread "motion"                               slot          thread "render"                              main thread
```
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from engine.errors import HifiHeadError
from engine.process import memory_is_short, too_little_memory
from vcam.interfaces import Clock
from vcam.messages import Messages, log_failure
from vcam.motion import MotionFrame
from vcam.motion_sinks.group import MotionSinks
from vcam.pipeline.driving import DrivingStage
from vcam.pipeline.governor import Governor
from vcam.pipeline.latest import LatestFrame
from vcam.pipeline.prediction import MotionPredictor
from vcam.pipeline.rendering import RenderStage
from vcam.pipeline.slot import Slot
from vcam.sources.priority import PrioritizedSources

TICK_S = 1 / 30  # how often the avatar moves while no frames come
WAIT_S = 0.1
AGAIN_S = 1.0  # after a defect, a thread waits so long before it goes on

T = TypeVar("T")


class StageThread:
    """A thread that opens something, repeats a step, and closes it. Between two steps it runs what other threads hand to it."""

    def __init__(
        self,
        name: str,
        *,
        open: Callable[[], None],  # noqa: A002 — the word for it
        step: Callable[[], None],
        close: Callable[[], None],
        failed: Callable[[HifiHeadError], bool],
        messages: Messages,
    ) -> None:
        """``failed`` hears what went wrong in ``open`` or ``step``, and says whether to go on; after ``open`` nothing does."""
        self._open, self._step, self._close, self._failed = open, step, close, failed
        self._messages = messages
        self._calls: queue.SimpleQueue[tuple[Callable[[], object], Future[object]]] = queue.SimpleQueue()
        self._lock = threading.Lock()  # of ``_ended``: after it is set no call is taken
        self._ended = False
        self._stop = threading.Event()
        self._signal = threading.Event()  # there is something to do although it rests
        self._resting = False
        self._thread = threading.Thread(target=self._run, name=name)

    def start(self) -> None:
        self._thread.start()

    @property
    def started(self) -> bool:
        return self._thread.ident is not None

    def call(self, work: Callable[[], T]) -> Future[T]:
        """Runs ``work`` on the thread between two steps; the future has what it returns or raises, HifiHeadError when the thread
        ended before."""
        future: Future[T] = Future()
        with self._lock:
            if self._ended:
                future.set_exception(HifiHeadError("The program is ending."))
            else:
                self._calls.put((work, future))  # type: ignore[arg-type]
        self._signal.set()
        return future

    def rest(self) -> None:
        """From the next step on nothing is done but calls, until ``wake``."""
        self._resting = True

    def wake(self) -> None:
        self._resting = False
        self._signal.set()

    def stop(self) -> None:
        """Ends the thread after the step at hand."""
        self._stop.set()
        self._signal.set()

    def pause(self, seconds: float) -> None:
        """Waits within a step; ``stop`` ends it."""
        self._stop.wait(seconds)

    def join(self, timeout_s: float) -> bool:
        """Waits for the end; whether it came."""
        if self.started:
            self._thread.join(max(0.0, timeout_s))
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            if self._survived(self._open):
                self._repeat()
        finally:
            self._messages.attempt("closing", "Closing", self._close)
            with self._lock:
                self._ended = True
            self._run_calls(HifiHeadError("The program is ending."))

    def _repeat(self) -> None:
        while not self._stop.is_set():
            self._run_calls()
            if self._resting and not self._stop.is_set():
                self._signal.wait()
                self._signal.clear()
            elif not self._survived(self._step):
                if self._stop.is_set():
                    return
                self._stop.wait(AGAIN_S)

    def _survived(self, work: Callable[[], None]) -> bool:
        """Whether ``work`` did not fail. Stops the thread when it failed and shall not go on."""
        try:
            work()
        except HifiHeadError as error:
            problem = error
        except Exception as error:  # noqa: BLE001 — a thread must not end unnoticed
            unexpected = f"The program failed unexpectedly ({type(error).__name__}: {error})."
            problem = HifiHeadError(too_little_memory(error) if memory_is_short(error) else unexpected)
            log_failure("The thread's work")
        else:
            return True
        if not self._failed(problem):
            self._stop.set()
        return False

    def _run_calls(self, refusal: HifiHeadError | None = None) -> None:
        while True:
            try:
                work, future = self._calls.get_nowait()
            except queue.Empty:
                return
            if refusal is not None:
                future.set_exception(refusal)
                continue
            try:
                future.set_result(work())
            except Exception as error:  # noqa: BLE001 — it is the caller's
                future.set_exception(error)


class Pipeline:
    """``start``, then let a ``SinkLoop`` send ``latest``; ``failure`` holds what made a thread give up; ``close`` ends all."""

    def __init__(
        self,
        source: PrioritizedSources,
        driving: DrivingStage,
        motion_sinks: MotionSinks,
        open_rendering: Callable[[], RenderStage],
        close_rendering: Callable[[], None],
        *,
        latest: LatestFrame,
        clock: Clock,
        messages: Messages,
        governor: Governor,
        fps: int = 30,
    ) -> None:
        """``source`` and ``motion_sinks`` are closed by the pipeline's own thread. ``open_rendering`` and ``close_rendering`` are
        called on the render thread; what the former opens it must register before it may fail."""
        self.source, self.driving, self._open_rendering = source, driving, open_rendering
        self.motion_sinks = motion_sinks
        self._latest, self._clock, self._messages = latest, clock, messages
        self._governor, self._period_s = governor, 1 / fps
        self._motions: Slot[MotionFrame] = Slot()
        self._predictor = MotionPredictor(self._period_s)
        self._due_s = 0.0  # when the next picture is to be drawn
        self._rendering: RenderStage | None = None
        self.live = False  # whether the avatar was shown
        self.failure: HifiHeadError | None = None
        self.motion = StageThread(
            "motion", open=self._prepare_source, step=self._move, close=self._close_source, failed=self._fail, messages=messages
        )
        self.render = StageThread(
            "render", open=self._prepare_rendering, step=self._draw, close=close_rendering, failed=self._fail, messages=messages
        )

    def start(self) -> None:
        """Starts the source and both threads."""
        self.source.start()
        self.motion.start()
        self.render.start()

    def rest(self) -> None:
        """Gives devices back and lets the threads wait; the last picture stays."""
        self.motion.rest()
        self.source.rest()

    def wake(self) -> None:
        """Ends ``rest``: the avatar idles at once, and follows as soon as the source delivers."""
        self._governor.settle()
        self.motion.call(self.driving.resume)
        self.source.wake()
        self.motion.wake()

    def change_source(self, source: PrioritizedSources) -> None:
        """Lets another source, prepared and not yet started, move the avatar; the former one is closed."""

        def change() -> None:
            before, self.source = self.source, source
            self._messages.attempt("source", f"Closing {before.name}", before.close)  # before the other opens the same device
            source.start()
            self.driving.forget()

        self.motion.call(change).result()

    def change_motion_sinks(self, motion_sinks: MotionSinks) -> None:
        """Lets motion go elsewhere; the former sinks are closed."""

        def change() -> None:
            before, self.motion_sinks = self.motion_sinks, motion_sinks
            before.close()

        self.motion.call(change).result()

    def stop(self) -> None:
        """Lets the threads end after what they are at."""
        self.motion.stop()
        self.render.stop()
        self._motions.close()

    def close(self, timeout_s: float) -> bool:
        """Ends the threads; whether they ended within the time. One that runs native code may take longer, and then closes by
        itself what it opened."""
        end_s = time.monotonic() + timeout_s
        self.stop()
        if not self.motion.started:  # starting failed half-way
            self._close_source()
        ended = [thread.join(end_s - time.monotonic()) for thread in (self.motion, self.render)]
        return all(ended)

    def _fail(self, problem: HifiHeadError) -> bool:
        """What ends a thread before the avatar is live becomes ``failure``; later it is told, and the thread goes on."""
        if self.live:
            self._messages.say_rarely("thread", f"{problem} The camera goes on.")
        else:
            self.failure = problem
        return self.live

    def _prepare_source(self) -> None:
        self.source.prepare()

    def _close_source(self) -> None:
        self.source.close()
        self.motion_sinks.close()
        self.driving.keep()

    def _prepare_rendering(self) -> None:
        self._rendering = self._open_rendering()

    def _move(self) -> None:
        source = self.source
        observation = source.take(TICK_S)
        motion = self.driving.step(observation, source.name, remembered_as=source.remembered_as)
        if motion is not None and (rest := self.driving.rest) is not None:
            self._motions.put(motion)
            self.motion_sinks.send(observation, motion, rest)

    def _draw(self) -> None:
        rendering, motion = self._rendering, self._next_motion()
        if rendering is None or motion is None:
            return
        level = self._governor.level
        self._due_s = self._clock.now() + level.slowness * self._period_s
        with self._governor.working("drawing"):
            frame = rendering.render(motion, level.network_every)
        if frame is None:
            return
        self._latest.show(frame)
        if not self.live:
            self.live = True
            self._governor.settle()

    def _next_motion(self) -> MotionFrame | None:
        """The newest motion; or, when the tracker is slower than the output, what it has become meanwhile."""
        wait_s = max(0.0, self._due_s - self._clock.now())
        if self._governor.level.slowness > 1:
            self.render.pause(wait_s)
        motion = self._motions.take(wait_s if self._predictor.active else WAIT_S)
        if motion is None:
            return self._predictor.predict(self._clock.now())
        self._predictor.learn(motion, self._clock.now())
        return motion
