"""Another background: what the plug-in answers, and what becomes of it behind a real portrait."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.animator import Animator
from engine.errors import InputError
from engine.mp4 import Mp4File
from engine.values import JAW_OPEN, Picture
from plugins.background import GREEN, BackgroundPlugin
from tests.fakes import flat
from vcam.avatars.avatar import BUNDLED_PORTRAIT, Avatar
from vcam.avatars.cutout import Cutout
from vcam.build import Builder
from vcam.config import Settings
from vcam.plugins.testing import SIZE, PluginRun, portrait

OUTPUT = (640, 360)


def answer(folder: Path | None = None, **settings: object) -> Picture:
    with PluginRun(BackgroundPlugin, folder=folder, **settings) as run:
        background = run.background()
    assert background is not None
    return background.picture


def test_colour_and_green_fill_the_picture() -> None:
    assert answer(mode="colour", colour="#102030")[7, 9].tolist() == [0x10, 0x20, 0x30]
    assert np.unique(answer(mode="green").reshape(-1, 3), axis=0).tolist() == [list(GREEN)]


def test_blur_keeps_colours_and_loses_edges() -> None:
    own = portrait(SIZE)
    blurred = answer(mode="blur", strength=1.0)
    assert abs(float(blurred.mean()) - float(own.mean())) < 2
    steepest = [np.abs(np.diff(picture[..., 0].astype(int), axis=1)).max() for picture in (own, blurred)]
    assert steepest[1] < steepest[0] / 10


def test_keep_leaves_the_portraits_own() -> None:
    with PluginRun(BackgroundPlugin, mode="keep") as run:
        assert run.background() is None


def test_a_picture_covers_the_output_whatever_its_shape(tmp_path: Path) -> None:
    wide = np.hstack([flat((0, 0, 255), 400, 100), flat((0, 255, 0), 400, 100), flat((0, 0, 255), 400, 100)])
    cv2.imwrite(str(tmp_path / "wide.png"), wide)
    shown = answer(tmp_path, mode="picture", file="wide.png")
    assert shown.shape == (240, 320, 3)
    assert np.all(shown[:, 20:-20] == (0, 255, 0))


def test_a_video_goes_on_and_begins_again(tmp_path: Path) -> None:
    with Mp4File(tmp_path / "clip.mp4", (64, 48), 10) as file:
        for shade in (40, 120, 200):
            file.send(flat((shade,) * 3, 64, 48))
    shades = []
    with PluginRun(BackgroundPlugin, folder=tmp_path, mode="video", file="clip.mp4") as run:
        for _ in range(9):
            background = run.background()
            assert background is not None
            shades.append(round(float(background.picture.mean())))
            assert background.for_s == pytest.approx(0.1)
            run.now += 0.1
    assert [min((40, 120, 200), key=lambda shade: abs(shade - seen)) for seen in shades[:3]] == [40, 120, 200]
    assert len(set(shades[4:])) > 1


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"mode": "picture"}, "must name a picture"),
        ({"mode": "video", "file": "nothing.mp4"}, r"nothing\.mp4 does not exist"),
        ({"mode": "video", "file": "text.mp4"}, "no video"),
    ],
)
def test_files_that_cannot_be_shown_are_told(tmp_path: Path, settings: dict[str, str], words: str) -> None:
    (tmp_path / "text.mp4").write_text("text", encoding="utf-8")
    with pytest.raises(InputError, match=words), PluginRun(BackgroundPlugin, folder=tmp_path, **settings):
        pass


# behind a portrait


@dataclass
class Rig:
    animator: Animator
    avatar: Avatar
    cutout: Cutout

    def show(self, background: Picture | None, *, light_wrap: float = 0.0, yaw_rad: float = 0.0, jaw: float = 0.0) -> Picture:
        z = self.avatar.coefficients
        moved = replace(z, pose=z.pose.copy(), expression=z.expression.copy())
        moved.pose[1] += yaw_rad
        moved.expression[JAW_OPEN] += jaw
        shown = self.avatar if background is None else self.cutout.before(background, light_wrap)
        self.animator.use(shown.source)
        return shown.composer.compose(self.animator.animate(moved))


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    builder = Builder(Settings.model_validate({"runtime": {"engine": "onnxruntime"}}), reproducible=True)
    animator = builder.open_animator()
    assert isinstance(animator, Animator)
    with animator:
        avatar = builder.prepare_avatar(animator, BUNDLED_PORTRAIT, OUTPUT)
        assert avatar.cutout is not None
        yield Rig(animator, avatar, avatar.cutout())


def test_the_person_stays_and_the_background_is_the_one_that_is_wanted(rig: Rig) -> None:
    background = flat((20, 200, 90), *OUTPUT)
    before, after = rig.show(None), rig.show(background)
    changed = np.abs(after.astype(int) - before).max(2)
    left, top, side = rig.avatar.composer.place
    middle = top + side // 2, left + side // 2
    face = (slice(middle[0] - side // 6, middle[0] + side // 6), slice(middle[1] - side // 8, middle[1] + side // 8))
    assert changed[face].max() <= 1
    assert np.abs(after[: top + side // 20].astype(int) - background[0, 0]).max() <= 2
    assert np.abs(after[:, : left - 40].astype(int) - background[0, 0])[: OUTPUT[1] // 2].max() <= 2


def test_nothing_of_the_background_moves_or_flickers_while_the_head_moves(rig: Rig) -> None:
    ramp = np.zeros((OUTPUT[1], OUTPUT[0], 3), np.uint8)
    ramp[..., 0] = np.linspace(30, 220, OUTPUT[0])
    ramp[..., 1] = np.linspace(220, 30, OUTPUT[1])[:, None]
    shown = [rig.show(ramp, yaw_rad=angle, jaw=abs(angle)).astype(int) for angle in (-0.3, -0.1, 0.1, 0.3)]
    still = np.ptp(np.array(shown), axis=0).max(2)
    _, _, side = rig.avatar.composer.place
    assert still[: side // 12].max() <= 2
    assert still[: OUTPUT[1] // 2, : OUTPUT[0] // 6].max() == 0
    assert still.max() > 50  # the head did move
    assert np.array_equal(rig.show(ramp, yaw_rad=0.2), rig.show(ramp, yaw_rad=0.2))


def test_light_reaches_around_the_edge_only(rig: Rig) -> None:
    white = flat((255, 255, 255), *OUTPUT)
    more = rig.show(white, light_wrap=1.0).astype(int) - rig.show(white)
    left, top, side = rig.avatar.composer.place
    face = more[top + side // 3 : top + side // 2, left + side // 3 : left + side // 2]
    assert more.min() >= -1
    assert more.max() > 20
    assert face.max() <= 2


def test_the_background_behind_the_person_shows_nothing_of_them(rig: Rig) -> None:
    """The bundled portrait's hair is far darker than the landscape beside it."""
    own = rig.cutout.own.astype(int)
    left, top, side = rig.avatar.composer.place
    hair = rig.show(None)[top + side // 5, left + side // 2].astype(int)
    filled = own[top + side // 5, left + side // 2]
    assert filled.sum() > hair.sum() + 100
