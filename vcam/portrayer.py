"""The picture's side: cue → animated portrait in its surroundings. What it shows comes from the photograph and from numbers."""

from __future__ import annotations

import cv2
import numpy as np

from engine.values import Corrections, Picture
from vcam.avatar import Avatar
from vcam.cards import privacy_card
from vcam.cue import Cue
from vcam.messages import Messages
from vcam.seams import Animator, Clock
from vcam.stats import Stats

FADE_S = 0.4


class Portrayer:
    """``portray`` draws the output picture (height, width, 3) of a cue; a change of avatar, or to a card, cross-fades."""

    def __init__(self, animator: Animator, size: tuple[int, int], *, clock: Clock, messages: Messages, stats: Stats) -> None:
        self._animator, self._clock, self._messages, self._stats = animator, clock, messages, stats
        self._card = privacy_card(size)
        self._avatar: Avatar | None = None
        self._scene: object = None  # what is shown: an avatar or the card
        self._last: Picture | None = None
        self._before: Picture | None = None  # the picture that fades out
        self._fade_start_s = 0.0
        self._drawn = 0  # pictures for which corrections were wanted

    @property
    def engine(self) -> str:
        """What runs the networks, and what is being built."""
        return self._animator.engine_status

    def close(self) -> None:
        self._animator.close()

    def portray(self, cue: Cue, network_every: int = 1) -> Picture:
        """The picture of a cue, or the privacy card when the cue asks for it or drawing fails. Never raises.

        ``network_every`` as in ``governor.Level``.
        """
        drawn = (
            None
            if cue.motion.state == "privacy"
            else self._messages.attempt("avatar", "Drawing the avatar", lambda: self._draw(cue, network_every))
        )
        picture = self._card if drawn is None else drawn
        self._last = self._faded(picture, scene=self._card if drawn is None else cue.avatar)
        return self._last

    def _draw(self, cue: Cue, network_every: int) -> Picture:
        if cue.avatar is not self._avatar:
            self._animator.use(cue.avatar.source)
            self._avatar = cue.avatar
        with self._stats.measure("animate"):
            animated = self._animator.animate(cue.motion.z, corrections=self._corrections(network_every))
        with self._stats.measure("compose"):
            return cue.avatar.composer.compose(animated)

    def _corrections(self, network_every: int) -> Corrections:
        """What the network does for the next picture."""
        if network_every == 0:
            return "none"
        self._drawn += 1
        return "new" if self._drawn % network_every == 0 else "kept"

    def _faded(self, picture: Picture, scene: object) -> Picture:
        now = self._clock.now()
        if scene is not self._scene:
            self._before, self._fade_start_s, self._scene = self._last, now, scene
        if self._before is None:
            return picture
        share = (now - self._fade_start_s) / FADE_S
        if share >= 1:
            self._before = None
            return picture
        return np.asarray(cv2.addWeighted(self._before, 1 - share, picture, share, 0), np.uint8)
