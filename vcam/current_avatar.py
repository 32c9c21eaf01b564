"""The avatar that is shown, the animator that draws it, and how another takes its place."""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from engine.errors import HifiHeadError
from engine.resource import Resource
from vcam.avatars.avatar import Avatar
from vcam.avatars.pictures import refuse_unusable
from vcam.build import Builder
from vcam.interfaces import DrawingHooks, PortraitAnimator
from vcam.pipeline.rendering import RenderStage
from vcam.pipeline.threads import Pipeline

COMPILING = "Compiling for this processor, once: the avatar comes in about a quarter of a minute, until then a card is shown."


@dataclass(frozen=True)
class NextAvatar:
    """An avatar that is ready to take the place of the present one; ``animator`` prepared it, and may be the present one."""

    avatar: Avatar
    animator: PortraitAnimator
    photo: Path


class CurrentAvatar(Resource):
    """Owns the animator. ``open_rendering`` and ``close_animator`` belong to the render thread; after ``wait``, one command at a
    time calls ``prepare`` and ``replace``."""

    def __init__(self, builder: Builder, photo: Path) -> None:
        """Opens nothing."""
        self.photo = photo
        self._builder, self._messages = builder, builder.messages
        self._animator: PortraitAnimator | None = None
        self._rendering: RenderStage | None = None
        self._opened = threading.Event()  # the first avatar was prepared, or never will be
        self._refining = ThreadPoolExecutor(1, "refining")  # its thread starts with the first work

    def open_rendering(self, pipeline: Pipeline, hooks: DrawingHooks | None) -> RenderStage:
        """The animator, and the first avatar with it."""
        try:
            from engine.compilation import compilation_told  # here, because numba takes a quarter of a second to import

            builder = self._builder
            with builder.reading(self.photo), compilation_told(lambda: self._messages.say(COMPILING)):
                self._animator = animator = builder.open_animator()
                avatar = self._prepared(builder, animator, self.photo)
            rendering = RenderStage(
                animator, builder.size, clock=builder.clock, messages=self._messages, stats=builder.stats, hooks=hooks
            )
            rendering.add(avatar)
            pipeline.motion.call(lambda: pipeline.driving.use(avatar.id, avatar.coefficients, avatar.name))
            self._rendering = rendering
            self._refine(avatar, pipeline, rendering)
            return rendering
        finally:
            self._opened.set()

    def close_animator(self) -> None:
        """May be called more than once."""
        animator, self._animator = self._animator, None
        if animator is not None:
            animator.close()

    def wait(self) -> bool:
        """Returns once the first avatar is ready, True, or never will be, False."""
        self._opened.wait()
        return self._rendering is not None and self._animator is not None

    def close(self) -> None:
        """Lets nobody wait any longer, and nothing more be refined."""
        self._opened.set()
        self._refining.shutdown(wait=False, cancel_futures=True)

    def prepare(self, builder: Builder, photo: Path, animator: PortraitAnimator | None = None) -> NextAvatar:
        """A photograph for ``animator``, else the present one; takes about a second, of which it tells. On a busy machine the
        present avatar does less meanwhile. Raises InputError when the photograph cannot become an avatar."""
        _, present = self._parts()
        refuse_unusable(photo)
        self._messages.say(f"Preparing {photo.name}.")
        with builder.governor.yielding():
            return NextAvatar(self._prepared(builder, animator or present, photo), animator or present, photo)

    def replace(self, new: NextAvatar, pipeline: Pipeline) -> None:
        """Cross-fades to another avatar; an animator that draws no longer is closed."""
        rendering, present = self._parts()
        avatar = new.avatar

        def render() -> None:
            if new.animator is present:
                rendering.add(avatar)
            else:
                rendering.use_animator(new.animator, avatar)

        pipeline.render.call(render).result()
        pipeline.motion.call(lambda: pipeline.driving.use(avatar.id, avatar.coefficients, avatar.name)).result()
        self._messages.say(f"The avatar is {Path(avatar.name).name}.")
        self._refine(avatar, pipeline, rendering)
        self.photo = new.photo
        if new.animator is not present:
            self._animator = new.animator
            present.close()

    def _parts(self) -> tuple[RenderStage, PortraitAnimator]:
        if self._rendering is None or self._animator is None:
            raise HifiHeadError("The program is ending.")
        return self._rendering, self._animator

    def _prepared(self, builder: Builder, animator: PortraitAnimator, photo: Path) -> Avatar:
        """An avatar; what is to be said about its photograph is said."""
        avatar = builder.prepare_avatar(animator, photo, builder.size)
        for note in avatar.notes:
            self._messages.say(note)
        return avatar

    def _refine(self, avatar: Avatar, pipeline: Pipeline, rendering: RenderStage) -> None:
        """On a thread, which takes seconds: makes what is better of an avatar that is shown already, and lets it be drawn."""
        refine = avatar.refine
        if refine is None:
            return

        def work() -> None:
            source = self._messages.attempt("refining", "Making the avatar better behind the scenes", refine)
            if source is not None:
                pipeline.render.call(lambda: rendering.refine(avatar.id, source))

        with contextlib.suppress(RuntimeError):  # the program is ending
            self._refining.submit(work)
