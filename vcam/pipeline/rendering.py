"""The rendering stage: motion → animated portrait in its surroundings. It shows what comes from photograph and numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np

from engine.values import Corrections, Picture
from vcam.avatars.avatar import Avatar
from vcam.avatars.cards import privacy_card
from vcam.interfaces import Clock, DrawingHooks, PortraitAnimator
from vcam.messages import Messages
from vcam.motion import MotionFrame
from vcam.pipeline.latest import OutputFrame
from vcam.stats import Stats

FADE_S = 0.4


class RenderStage:
    """``render`` draws the output frame of a motion; a change of avatar, or to a card, cross-fades. Belongs to one thread.

    The animator and the avatars are lent: ``use_animator`` and ``add`` replace them, nothing is closed here.
    """

    def __init__(
        self,
        animator: PortraitAnimator,
        size: tuple[int, int],
        *,
        clock: Clock,
        messages: Messages,
        stats: Stats,
        hooks: DrawingHooks | None = None,
    ) -> None:
        """``size``: width and height of the output. ``hooks`` take part in drawing the avatar, not in the card."""
        self._hooks = hooks
        self._animator, self._clock, self._messages, self._stats = animator, clock, messages, stats
        self._card = privacy_card(size)
        self._avatars: dict[int, Avatar] = {}
        self._used: object = None  # the source that the animator animates
        self._scene: object = None  # what is shown: an avatar or the card
        self._last: Picture | None = None
        self._before: Picture | None = None  # the picture that fades out
        self._fade_start_s = 0.0
        self._drawn = 0  # pictures for which corrections were wanted

    def add(self, avatar: Avatar) -> None:
        """Makes an avatar known; those before it are forgotten once a motion names it."""
        self._avatars[avatar.id] = avatar

    def refine(self, avatar_id: int, source: Any) -> None:
        """Draws an avatar with a better source from the next picture on, without a cross-fade; nothing if it was replaced."""
        if avatar_id in self._avatars:
            self._avatars[avatar_id] = replace(self._avatars[avatar_id], source=source, refine=None)

    def use_animator(self, animator: PortraitAnimator, avatar: Avatar) -> None:
        """Draws with another animator, and with an avatar that it prepared, from the next motion that names that avatar."""
        self._animator, self._used, self._avatars = animator, None, {avatar.id: avatar}

    def render(self, motion: MotionFrame, network_every: int = 1) -> OutputFrame | None:
        """The frame of a motion, or the privacy card when the motion asks for it or drawing fails. Never raises.

        None for the motion of an avatar that was replaced meanwhile. ``network_every`` as in ``governor.Level``.
        """
        avatar = self._avatars.get(motion.avatar_id)
        if avatar is None:
            return None
        drawn: tuple[Picture, object] | None = None
        if motion.state != "privacy":
            drawn = self._messages.attempt("avatar", "Drawing the avatar", lambda: self._draw(avatar, motion, network_every))
        picture = self._faded(*(drawn or (self._card, "card")))
        return OutputFrame(
            picture, motion.state, avatar.name, motion.captured_s, drawn_s=self._clock.now(), engine=self._animator.engine_status
        )

    def _draw(self, avatar: Avatar, motion: MotionFrame, network_every: int) -> tuple[Picture, object]:
        """The picture, and the scene that it shows: between two of them is a cross-fade."""
        if len(self._avatars) > 1:
            self._avatars = {n: known for n, known in self._avatars.items() if n >= avatar.id}
        hooks = self._hooks if self._hooks is not None and self._hooks.drawing else None
        backdrop = None
        if hooks is not None:
            motion, backdrop = hooks.on_motion(motion), hooks.backdrop(avatar)
        shown, scene = (avatar, avatar.id) if backdrop is None else (backdrop, (avatar.id, backdrop.scene))
        if shown.source is not self._used:
            self._animator.use(shown.source)
            self._used = shown.source
        with self._stats.measure("animate"):
            animated = self._animator.animate(motion.z, corrections=self._corrections(network_every))
        with self._stats.measure("compose"):
            picture = shown.composer.compose(animated)
        return (picture if hooks is None else hooks.on_frame(picture)), scene

    def _corrections(self, network_every: int) -> Corrections:
        """What the network does for the next picture."""
        if network_every == 0:
            return "none"
        self._drawn += 1
        return "new" if self._drawn % network_every == 0 else "kept"

    def _faded(self, picture: Picture, scene: object) -> Picture:
        now = self._clock.now()
        if scene != self._scene:
            self._before, self._fade_start_s, self._scene = self._last, now, scene
        share = (now - self._fade_start_s) / FADE_S
        if self._before is None or share >= 1:
            self._before, self._last = None, picture
        else:
            self._last = np.asarray(cv2.addWeighted(self._before, 1 - share, picture, share, 0), np.uint8)
        return self._last
