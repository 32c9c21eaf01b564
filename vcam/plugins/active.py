"""A plug-in that is on: its hooks run on its threads, and what it does wrong becomes an ``InputError`` for whoever asks it."""

from __future__ import annotations

import logging
import statistics
import weakref
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from engine.errors import HifiHeadError, InputError
from engine.values import Floats, Picture
from vcam.avatars.avatar import Avatar
from vcam.avatars.cutout import Backdrop, Cutout
from vcam.interfaces import Clock
from vcam.motion import MotionFrame
from vcam.plugins.answers import lent_motion, lent_picture, taken_background, taken_motion, taken_picture
from vcam.plugins.interface import DEFAULT_BUDGET_MS, DEFAULT_ORDER, PluginContext, PluginSettings
from vcam.plugins.registry import hooks_of, missing
from vcam.plugins.worker import Work, Worker
from vcam.stats import Stats, resident_memory_mb

LONGEST_S = 10.0  # for loading, ``start`` and ``stop``
STUCK_S = 2.0  # in a hook; then the plug-in is given up
PATIENCE_S, PATIENCE = 0.03, 4  # a picture waits so long for a hook, or so many times its budget, and then goes without it
JUDGED = 30  # calls, of which the median must keep the budget
KEPT_PICTURES = 64  # a plug-in that holds more of them than this has a leak,
GROWTH_MB = 512.0  # as has one during whose calls the program grew by this in all
WAITING_BLOCKS, WAITING_PICTURES = 100, 8  # for a hook that nobody waits for; more are dropped

FIRST_BACKDROP_S = 0.5  # drawing waits so long for another avatar's, so that its own is not shown for a moment

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ShownBackdrop:
    """Which backdrop belongs to which avatar, and until when it is shown; None = as long as the avatar is."""

    avatar_id: int = 0
    backdrop: Backdrop | None = None
    until_s: float | None = None


class ActivePlugin:
    """One plug-in and its threads. ``motion`` and ``picture`` belong to the drawing thread, ``take`` to that of the sinks' clock,
    ``hear`` to that of the sound."""

    def __init__(
        self,
        name: str,
        kind: type[Any],
        settings: PluginSettings,
        worker: Worker,
        *,
        clock: Clock,
        stats: Stats,
        memory_mb: Callable[[], float] = resident_memory_mb,
    ) -> None:
        """``worker`` becomes the plug-in's thread."""
        self.name, self.settings, self.hooks = name, settings, hooks_of(kind)
        self.order = (int(getattr(kind, "order", DEFAULT_ORDER)), name)
        self.budget_ms = float(getattr(kind, "budget_ms", DEFAULT_BUDGET_MS))
        self._kind, self._worker, self._clock, self._stats, self._memory_mb = kind, worker, clock, stats, memory_mb
        self._sound = Worker(f"plugin {name} sound") if "on_audio" in self.hooks else None
        self._instance: Any = None
        self._late: tuple[str, Work, float] | None = None  # hook and work that have not come back, and since when
        self._times_ms: dict[str, deque[float]] = {}
        self._backdrop = ShownBackdrop()
        self._painting: tuple[int, Work, float] | None = None  # avatar and work that makes its next backdrop, and since when
        self._lent: dict[str, deque[weakref.ref[Any]]] = {"on_frame": deque(), "on_sent": deque()}
        self._grown_mb = 0.0
        self._handed: dict[str, deque[tuple[Work, float]]] = {"on_audio": deque(), "on_sent": deque()}
        self.at_end: list[Callable[[], object]] = []  # called when it is switched off

    def start(self, context: PluginContext[Any], wait: Callable[[Work, float], bool]) -> None:
        """Makes the plug-in and calls ``start``; raises InputError. ``wait`` as of ``Work.done``."""

        def begin() -> None:
            self._instance = self._kind()
            if "start" in self.hooks:
                self._instance.start(context)
                self.hooks = hooks_of(self._instance)

        work = self._worker.hand_over(begin)
        if not wait(work, LONGEST_S):
            raise InputError(f"The plug-in {self.name!r} did not start within {LONGEST_S:.0f} s.")
        self._raise_error("start", work)

    @property
    def late(self) -> bool:
        """Whether a call has not come back."""
        return self._late is not None

    def motion(self, motion: MotionFrame, *, timed: bool = True) -> MotionFrame:
        """What the plug-in makes of it; raises InputError when it is to be switched off. ``timed``: whether the time that it
        takes is its own, and no other plug-in is late, which may hold everything up."""
        lent, now = lent_motion(motion), self._clock.now()
        answer = self._ask("on_motion", lambda: taken_motion(motion, self._instance.on_motion(lent, now)), timed=timed)
        return motion if answer is None else answer

    def picture(self, picture: Picture, *, timed: bool = True) -> Picture:
        """What the plug-in makes of it; as ``motion``."""
        lent, now = lent_picture(picture), self._clock.now()
        self._refuse_keeping("on_frame", lent)
        answer = self._ask("on_frame", lambda: taken_picture(picture, self._instance.on_frame(lent, now)), timed=timed)
        return picture if answer is None else answer

    def backdrop(self, avatar: Avatar) -> Backdrop | None:
        """The avatar before the plug-in's background; None before its own. Raises InputError when it is to be switched off.

        A background is made while the drawing goes on with the one before; only for another avatar it is waited for.
        """
        cutout, now = avatar.cutout, self._clock.now()
        if cutout is None:
            return None
        self._look_at_painting(now)
        shown, other = self._backdrop, self._backdrop.avatar_id != avatar.id
        if self._painting is None and (other or (shown.until_s is not None and now >= shown.until_s)):
            self._painting = avatar.id, self._worker.hand_over(lambda: self._watched(lambda: self._painted(cutout(), now))), now
            if other and self._painting[1].done(FIRST_BACKDROP_S):
                self._take_painting()
        return self._backdrop.backdrop if self._backdrop.avatar_id == avatar.id else None

    def hear(self, block: Floats, time_s: float) -> None:
        """Lets the plug-in hear 10 ms of sound, soon; raises InputError when it is to be switched off."""
        assert self._sound is not None  # noqa: S101 — only those with ``on_audio`` are asked
        self._hand_over("on_audio", self._sound, WAITING_BLOCKS, lambda: self._instance.on_audio(block, time_s))

    def take(self, picture: Picture) -> None:
        """Lets the plug-in have a picture that is sent, soon; as ``hear``."""
        lent, now = lent_picture(picture), self._clock.now()
        self._refuse_keeping("on_sent", lent)
        self._hand_over("on_sent", self._worker, WAITING_PICTURES, lambda: self._instance.on_sent(lent, now))

    def stop(self, wait: Callable[[Work, float], bool]) -> str:
        """Calls ``stop`` and ends the threads; a sentence when that fails, else ""."""
        for end in self.at_end:
            end()
        if self._sound is not None:
            self._sound.end()
        sentence = ""
        if self._late is None and self._instance is not None and "stop" in self.hooks:
            work = self._worker.hand_over(self._instance.stop)
            if wait(work, LONGEST_S):
                sentence = self._sentence_of("stop", work)
            else:
                sentence = f"The plug-in {self.name!r} did not stop within {LONGEST_S:.0f} s."
        self._instance = None
        self._worker.end()
        for worker in (self._worker, self._sound):
            if worker is not None and not worker.join(0.2):
                worker.abandon()
        return sentence

    def _hand_over(self, hook: str, worker: Worker, most: int, work: Callable[[], Any]) -> None:
        """Lets a hook be called, without waiting for it, unless ``most`` calls of it wait already."""
        handed = self._handed[hook]
        while handed and handed[0][0].done(0):
            work_done, _ = handed.popleft()
            self._raise_error(hook, work_done)
            if hook == "on_sent":
                self._stats.add(f"plugin {self.name}", work_done.seconds)
        if handed and self._clock.now() - handed[0][1] > STUCK_S:
            raise self._stuck(hook)
        if len(handed) < most:
            handed.append((worker.hand_over(work), self._clock.now()))

    def _look_at_painting(self, now: float) -> None:
        if self._painting is None:
            return
        _, work, since_s = self._painting
        if work.done(0):
            self._take_painting()
        elif now - since_s > LONGEST_S:
            raise InputError(f"The plug-in {self.name!r} did not come back from on_background within {LONGEST_S:.0f} s.")

    def _take_painting(self) -> None:
        """Shows the backdrop that is done; raises InputError when it failed."""
        assert self._painting is not None  # noqa: S101 — asked by those who know
        avatar_id, work, _ = self._painting
        self._painting = None
        self._raise_error("on_background", work)
        backdrop, until_s = work.result
        self._backdrop = ShownBackdrop(avatar_id, backdrop, until_s)

    def _painted(self, cutout: Cutout, now: float) -> tuple[Backdrop | None, float | None]:
        """On the plug-in's thread: the next backdrop, and until when it is shown."""
        with self._stats.measure(f"plugin {self.name}"):
            background = taken_background(cutout.own, self._instance.on_background(lent_picture(cutout.own), now))
            if background is None:
                return None, None
            until_s = None if background.for_s is None else now + background.for_s
            return replace(cutout.before(background.picture, background.light_wrap), scene=self), until_s

    def _ask(self, hook: str, work: Callable[[], Any], *, timed: bool) -> Any:
        """The answer of a hook; None when it does not come in time."""
        if self._late is not None:
            late_hook, late, since_s = self._late
            if not late.done(0):
                if self._clock.now() - since_s > STUCK_S:
                    raise self._stuck(late_hook)
                return None
            self._late = None
            self._judge(late_hook, late, timed=timed)
        handed = self._worker.hand_over(lambda: self._watched(work))
        if not handed.done(max(PATIENCE_S, PATIENCE * self.budget_ms / 1000)):
            self._late = hook, handed, self._clock.now()
            return None
        return self._judge(hook, handed, timed=timed)

    def _watched(self, work: Callable[[], Any]) -> Any:
        """On the plug-in's thread: how much the program grows meanwhile is added up."""
        before_mb = self._memory_mb()
        try:
            return work()
        finally:
            self._grown_mb += self._memory_mb() - before_mb

    def _judge(self, hook: str, work: Work, *, timed: bool) -> Any:
        """The result of a call that came back; raises InputError when it failed, and when calls take too long."""
        self._raise_error(hook, work)
        self._stats.add(f"plugin {self.name}", work.seconds)
        times_ms = self._times_ms.setdefault(hook, deque(maxlen=JUDGED))
        if timed:
            times_ms.append(1000 * work.seconds)
        if len(times_ms) == JUDGED and (typical_ms := statistics.median(times_ms)) > self.budget_ms:
            raise InputError(
                f"The plug-in {self.name!r} takes {typical_ms:.0f} ms in {hook}, more than the {self.budget_ms:g} ms it states."
            )
        if self._grown_mb > GROWTH_MB:
            raise InputError(f"The plug-in {self.name!r} uses ever more memory: {self._grown_mb:.0f} MB so far.")
        return work.result

    def _refuse_keeping(self, hook: str, lent: Picture) -> None:
        """Raises InputError when the plug-in keeps too many of the pictures that a hook was lent, this being the next."""
        all_lent = self._lent[hook]
        if lent.base is not None:
            all_lent.append(weakref.ref(lent.base))
        while all_lent and all_lent[0]() is None:
            all_lent.popleft()
        if len(all_lent) > KEPT_PICTURES:
            self._lent[hook] = all_lent = deque(kept for kept in all_lent if kept() is not None)
        if len(all_lent) > KEPT_PICTURES:
            raise InputError(f"The plug-in {self.name!r} keeps {len(all_lent)} pictures: it would fill the memory.")

    def _stuck(self, hook: str) -> InputError:
        return InputError(f"The plug-in {self.name!r} did not come back from {hook} within {STUCK_S:.0f} s.")

    def _raise_error(self, hook: str, work: Work) -> None:
        if sentence := self._sentence_of(hook, work):
            raise InputError(sentence) from work.error

    def _sentence_of(self, hook: str, work: Work) -> str:
        """What went wrong in a call that came back, "" when nothing did; its traceback is logged."""
        error = work.error
        if error is None:
            return ""
        logger.warning("the plug-in %s failed in %s", self.name, hook, exc_info=error)
        if isinstance(error, ModuleNotFoundError):
            return missing(self.name, error, getattr(self._kind, "install", ""))
        if isinstance(error, HifiHeadError):
            return f"The plug-in {self.name!r}: {error}"
        return f"The plug-in {self.name!r} failed in {hook} ({type(error).__name__}: {error})."
