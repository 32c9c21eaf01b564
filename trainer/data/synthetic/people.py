"""Random people: shape, colours, hair, clothes. A person is known by one number and is the same wherever it comes up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from engine.head import HeadModel, Part, PersonalHead
from engine.render.raster import Indices
from engine.values import IDENTITY, TEXTURE, Floats
from trainer.data.synthetic.clothes import draw_headwear, draw_torso
from trainer.data.synthetic.glasses import draw_glasses
from trainer.data.synthetic.hair import draw_hair, draw_hair_colour
from trainer.data.synthetic.noise import between, chance
from trainer.data.synthetic.pieces import WornMesh
from trainer.data.synthetic.shells import FALL_START
from trainer.data.synthetic.skull import COLUMNS, ROWS, Skull

_STREAM = 0x50E0  # keeps a person's random numbers apart from those of a picture
_MELANIN, _HAEMOGLOBIN = 0, 1  # components of δ, trainer.head.albedo
_BROWS, _HAIR, _FIRST_PATCH = slice(6, 9), slice(14, 17), 29
IDENTITY_SPREAD = 0.85  # of N(0, 1): the outermost shapes are caricatures
GLASSES, HEADWEAR = 0.2, 0.14  # how often


@dataclass(frozen=True, eq=False)
class Person:
    """identity (80,) α; head: their shape; texture (80,) δ; pieces worn, at rest; shine of the skin 0…1; detail: its seed."""

    number: int
    identity: Floats
    head: PersonalHead
    texture: Floats
    pieces: tuple[WornMesh, ...]
    shine: float
    detail: int


@lru_cache(maxsize=2)
def skull_of(head: HeadModel) -> Skull:
    """The head's skull, found once."""
    return Skull.of(head)


def draw_person(number: int, head: HeadModel) -> Person:
    """The person of that number on this head model."""
    rng = np.random.default_rng([_STREAM, number])
    identity = np.clip(IDENTITY_SPREAD * rng.standard_normal(IDENTITY), -2.2, 2.2).astype(np.float32)
    hair_colour = draw_hair_colour(rng)
    texture = _draw_texture(rng, head, hair_colour)
    own = head.with_identity(identity)
    rest = own.rest
    radii = skull_of(head).radii(head, rest)
    albedo = head.albedo(texture)
    pieces = [draw_torso(rng, _neck_ring(head, rest), _neck_colour(head, albedo))]
    hair = draw_hair(rng, radii, hair_colour)
    if chance(rng, HEADWEAR):
        worn = draw_headwear(rng, radii)
        on_skull = len(worn[0].vertices) == ROWS * COLUMNS  # headphones are not: they go over the hair
        hair = [_under(piece, worn[0]) for piece in hair] if on_skull else hair
        pieces += worn
    pieces += hair
    if chance(rng, GLASSES):
        pieces += draw_glasses(rng, head, rest)
    return Person(number, identity, own, texture, tuple(pieces), between(rng, 0.0, 1.0) ** 2, int(rng.integers(2**31)))


def _draw_texture(rng: np.random.Generator, head: HeadModel, hair_colour: Floats) -> Floats:
    """(80,) δ: every skin tone, brows and stubble near the hair's colour."""
    spread = np.where(np.arange(TEXTURE) < _FIRST_PATCH, 0.65, 0.4)  # smooth patches of colour are faint on most faces
    delta = (rng.standard_normal(TEXTURE) * spread).clip(-2, 2).astype(np.float32)
    delta[_MELANIN] = rng.choice([rng.uniform(-1.2, 0.6), rng.uniform(0.2, 2.8)], p=[0.6, 0.4])
    darkness = 0.45 - float(hair_colour.mean())
    delta[_HAIR.start] = np.clip(-1.5 * darkness + rng.normal(0, 0.3), -2.2, 2.2)
    delta[_BROWS.start] = np.clip(-1.5 * darkness + rng.normal(0, 0.4), -1.5, 1.2)
    return np.asarray(delta, np.float32)


@lru_cache(maxsize=2)
def _neck_edge(head: HeadModel) -> Indices:
    """The vertices of the neck's lower edge."""
    skin = head.triangles[head.part == Part.SKIN]
    edges = np.sort(np.concatenate([skin[:, [0, 1]], skin[:, [1, 2]], skin[:, [2, 0]]]), 1)
    unique, count = np.unique(edges, axis=0, return_counts=True)
    border = np.unique(unique[count == 1])
    return np.asarray(border[head.follow[border] < 0.1], np.int32)


def _neck_ring(head: HeadModel, rest: Floats) -> Floats:
    """(N, 3) the neck's lower edge of one person."""
    return np.asarray(rest[_neck_edge(head)])


def _neck_colour(head: HeadModel, albedo: Floats) -> Floats:
    return np.asarray(np.median(albedo[head.follow < 0.5], 0), np.float32)


def _under(piece: WornMesh, hat: WornMesh) -> WornMesh:
    """Hair, cut away where a hat lies over it: both are rows around the crown."""
    rows = ROWS if len(piece.vertices) == ROWS * COLUMNS else FALL_START
    if len(piece.vertices) < rows * COLUMNS:
        return piece
    opacity = piece.opacity.copy()
    opacity[: rows * COLUMNS] *= hat.opacity[: rows * COLUMNS] < 0.5
    return replace(piece, opacity=opacity)
