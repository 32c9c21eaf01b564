"""Making example sets: tight crops, jittered as tracking jitters, of synthetic heads, prepared crops, animated portraits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from engine.animator import Animator
from engine.conventions import place, project
from engine.crop import cut
from engine.errors import InputError
from engine.head import HeadModel
from engine.portrait import Portrait, load_portrait
from engine.regress.crops import carry_pose, tight_crop
from engine.values import FACE_POINTS, Coefficients, Floats, Picture, Square
from trainer.data.shards import Crop
from trainer.data.synthetic import Sample
from trainer.data.synthetic.head_state import draw_head_state
from trainer.regressor.examples import STORED_PX, Example

CENTRE_JITTER, SIDE_JITTER = 0.024, 0.05  # standard deviations: of the square's side, and of its logarithm
WORST_CARRY = 0.03  # crop units; a pose that cannot be carried better to the tight crop is left out

# How far each group of z is believed: α, β, δ, γ, p, τ.
EXACT = np.ones(6, np.float32)
BY_LANDMARKS = np.array([0.3, 1, 0, 0, 1, 1], np.float32)  # the geometry's fit knows no texture or light, and little of α
BY_ANIMATION = np.array([0.3, 1, 0.3, 0.3, 1, 1], np.float32)

ANIMATED_TURN_RAD = np.array([0.12, 0.2, 0.12], np.float32)  # beyond this a photograph's warp no longer looks true
ANIMATED_SHIFT_DM = np.array([0.1, 0.1, 0.2], np.float32)


def from_synthetic(head: HeadModel, samples: Iterable[Sample], seed: int) -> Iterator[Example]:
    """One example of each synthetic head, exactly labelled."""
    for number, sample in enumerate(samples):
        size = sample.image.shape[0]
        rng = np.random.default_rng([seed, number])
        full = Square(size / 2, size / 2, size)
        example = tightened(head, sample.image, full, sample.z, sample.landmarks, EXACT, sample.person, rng)
        if example is not None:
            yield example


def from_crops(head: HeadModel, crops: Iterable[Crop], seed: int, repeats: int = 2) -> Iterator[Example]:
    """``repeats`` differently placed examples of each prepared crop, labelled by the landmark geometry."""
    for number, crop in enumerate(crops):
        size = crop.image.shape[0]
        full = Square(size / 2, size / 2, size)
        for k in range(repeats):
            rng = np.random.default_rng([seed, number, k])
            example = tightened(head, crop.image, full, crop.z, crop.landmarks, BY_LANDMARKS, crop.person, rng)
            if example is not None:
                yield example


def from_portrait(animator: Animator, portrait: Portrait, person: int, count: int, seed: int) -> Iterator[Example]:
    """A photograph made to move: real skin with nearly exact labels. ``count`` random moments of it."""
    source = animator.set_source(portrait)
    model, own = source.fit.head.model, source.coefficients
    for number in range(count):
        rng = np.random.default_rng([seed, person, number])
        z = random_animation(own, rng)
        image = animator.animate(z, corrections="none").copy()
        size = image.shape[0]
        points = model.landmarks(source.fit.head.shape(z.expression, z.gaze))
        seen = ((project(place(points, z.pose))[:, :2] + 1) * size / 2).astype(np.float32)
        full = Square(size / 2, size / 2, size)
        example = tightened(model, image, full, z.vector(), seen, BY_ANIMATION, person, rng, points)
        if example is not None:
            yield example


@dataclass(frozen=True)
class AnimatedFrame:
    """A photograph in another moment (S, S, 3), and its z (261,): exact in what has moved since the photograph."""

    image: Picture
    z: Floats
    person: int


def animated_portraits(paths: Iterable[Path], each: int, seed: int, say: Callable[[str], None]) -> Iterator[AnimatedFrame]:
    """``each`` random moments of every photograph, as geometry shows them; ``say`` hears of those that show no face."""
    with Animator("onnxruntime", fixed=True) as animator:
        for person, portrait in usable_portraits(paths, say):
            own = animator.set_source(portrait).coefficients
            for number in range(each):
                z = random_animation(own, np.random.default_rng([seed, person, number]))
                yield AnimatedFrame(animator.animate(z, corrections="none").copy(), z.vector(), person)


def usable_portraits(paths: Iterable[Path], say: Callable[[str], None]) -> Iterator[tuple[int, Portrait]]:
    """The photographs with a face, numbered by their place; ``say`` hears of the others."""
    for number, path in enumerate(paths):
        try:
            portrait = load_portrait(path)
        except InputError as error:
            say(f"Left out: {error}")
            continue
        yield number, portrait


def random_animation(own: Coefficients, rng: np.random.Generator) -> Coefficients:
    """What a portrait may be shown doing: any expression and gaze, small turns from where it looks."""
    moment = draw_head_state(rng)
    expression = np.clip(moment.expression + own.expression * float(rng.random() < 0.5), 0, 1)
    expression[52:] = own.expression[52:]
    turn = (rng.normal(0, 1, 6) * np.concatenate([ANIMATED_TURN_RAD, ANIMATED_SHIFT_DM])).astype(np.float32)
    return replace(own, expression=expression.astype(np.float32), pose=own.pose + turn, gaze=moment.gaze)


def tightened(
    head: HeadModel,
    image: Picture,
    square: Square,
    vector: Floats,
    landmarks_px: Floats,
    trust: Floats,
    person: int,
    rng: np.random.Generator,
    points: Floats | None = None,
) -> Example | None:
    """The tight crop of a picture whose z belongs to ``square``; None when the pose cannot be carried there.

    ``points`` (478, 3): the head's landmark points when it has a personal shape that z does not know.
    """
    z = Coefficients.from_vector(vector)
    if points is None:
        points = head.landmarks(head.shape(z.identity, z.expression, z.gaze))
    crop = jittered(tight_crop(landmarks_px), rng)
    pose = carry_pose(points[:FACE_POINTS], z.pose, square, crop)
    here = crop.to_pixels(project(place(points, pose))[:FACE_POINTS, :2])
    there = square.to_pixels(project(place(points, z.pose))[:FACE_POINTS, :2])
    if not np.isfinite(here).all() or np.abs(here - there).max() > WORST_CARRY * crop.side_px / 2:
        return None
    landmarks = crop.normalise(landmarks_px.astype(np.float32).copy())[:, :2]
    return Example(cut(image, crop, STORED_PX), replace(z, pose=pose).vector(), trust, landmarks, person)


def jittered(square: Square, rng: np.random.Generator) -> Square:
    """A square as another tracker, or the next frame, would place it."""
    x, y = rng.normal(0, CENTRE_JITTER, 2) * square.side_px
    return Square(square.centre_x_px + x, square.centre_y_px + y, square.side_px * float(np.exp(rng.normal(0, SIDE_JITTER))))
