"""Framing keeps the square inside the view and the view inside the photograph; composing only touches the square."""

from __future__ import annotations

import numpy as np
import pytest

from engine.values import Square
from vcam.avatars.cards import placeholder, privacy_card
from vcam.avatars.compose import Composer
from vcam.avatars.framing import SMALLEST, frame_view, invented

HD = (1280, 720)


@pytest.mark.parametrize(
    ("photo", "square"),
    [
        ((4000, 3000), Square(2000, 1400, 1000)),  # plenty of surroundings
        ((743, 1155), Square(370, 330, 560)),  # a tall portrait
        ((600, 600), Square(300, 300, 600)),  # the square is the photograph
        ((3000, 1000), Square(300, 700, 550)),  # near the left and lower edge
        ((800, 800), Square(400, 520, 560)),  # the square ends with the photograph
    ],
)
@pytest.mark.parametrize("output", [HD, (640, 480), (720, 1280)])
def test_the_view_holds_the_square_and_keeps_the_rule(photo: tuple[int, int], square: Square, output: tuple[int, int]) -> None:
    view = frame_view(photo, square, output)
    left, top, side = view.place(square)
    assert SMALLEST - 0.01 <= side / min(output) <= 1.0
    assert left >= -1e-6
    assert top >= -1e-6
    assert left + side <= output[0] + 1e-6
    assert top + side <= output[1] + 1e-6
    assert view.width_px * view.scale == pytest.approx(output[0])
    assert view.top_px + view.height_px <= photo[1] + 1 / view.scale  # nothing hangs in mid-air


def test_a_wide_photograph_needs_no_extension_and_is_shown_smallest() -> None:
    square = Square(2000, 1400, 1000)
    view = frame_view((4000, 3000), square, HD)
    assert invented(view, (4000, 3000)) == 0
    assert view.place(square)[2] == 512


def test_a_narrow_photograph_is_shown_larger_and_centred() -> None:
    square = Square(370, 330, 560)
    view = frame_view((743, 1155), square, HD)
    left, _, side = view.place(square)
    assert side > 650
    assert left + side / 2 == pytest.approx(640, abs=2)


def test_the_square_alone_is_passed_on_as_it_is() -> None:
    animated = np.random.default_rng(0).integers(0, 255, (512, 512, 3), np.uint8)
    composer = Composer(np.zeros((600, 600, 3), np.uint8), Square(300, 300, 400), (512, 512))
    composed = composer.compose(animated)
    assert (composed == animated).all()
    assert composed is not animated


def test_surroundings_stay_still_and_the_square_moves() -> None:
    photo = np.random.default_rng(0).integers(100, 120, (1000, 1600, 3), np.uint8)
    composer = Composer(photo, Square(800, 500, 500), HD)
    dark, bright = (composer.compose(np.full((512, 512, 3), value, np.uint8)) for value in (0, 250))
    moved = (dark != bright).any(2)
    assert moved[360, 640]
    assert dark[360, 640, 0] == 0
    assert not moved[:, :300].any()
    assert moved.sum() == pytest.approx(512 * 512, rel=0.02)
    assert dark.shape == (720, 1280, 3)


def test_the_seam_is_gradual() -> None:
    composer = Composer(np.full((1000, 1600, 3), 200, np.uint8), Square(800, 500, 500), HD)
    row = composer.compose(np.zeros((512, 512, 3), np.uint8))[360, :, 0].astype(int)
    assert np.abs(np.diff(row)).max() <= 20


def test_the_extension_continues_the_edge_and_is_soft() -> None:
    photo = np.zeros((600, 400, 3), np.uint8)
    photo[::2] = 255  # the hardest stripes there are
    composer = Composer(photo, Square(200, 300, 390), HD)
    output = composer.compose(np.zeros((512, 512, 3), np.uint8)).astype(int)
    assert np.abs(np.diff(output[:, 20, 0])).max() < 12  # far outside: no stripes
    assert abs(output[:, 20].mean() - 127) < 20


def test_cards_have_the_asked_size_and_differ() -> None:
    for size in [HD, (512, 512), (128, 128)]:
        starting, private = placeholder(size), privacy_card(size)
        assert starting.shape == private.shape == (size[1], size[0], 3)
        assert (starting != private).any()
        assert starting.max() > 180  # the text is readable
