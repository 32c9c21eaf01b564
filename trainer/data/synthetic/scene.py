"""A person at a moment, in a light, before a background → picture, mask, and where every surface point lies on the screen."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.conventions import place, project
from engine.head import HeadModel, Part
from engine.render import Raster, create_renderer
from engine.render.lighting import shade, vertex_normals
from engine.render.raster import Indices
from engine.values import Coefficients, Floats
from trainer.data.synthetic.light import Light
from trainer.data.synthetic.noise import smooth_noise
from trainer.data.synthetic.paint import ATTRIBUTES, compose, paint
from trainer.data.synthetic.people import Person
from trainer.data.synthetic.pieces import TEXTURE_PX, MaskLabel, flat_texture
from trainer.data.synthetic.shadows import SHADOW_PX, lit_share

SUPERSAMPLING = 2
EYES_DEEPER_DM = 0.05  # as engine.warp: lids cut through the eyeballs on their way down
_VEILS = ("none", "cover", "glass")
_PARTS = {Part.EYE_LEFT: MaskLabel.EYES, Part.EYE_RIGHT: MaskLabel.EYES}
_NECK_SHADE = 0.72
_SKIN_GLOSS, _EYE_GLOSS = (14.0, 0.14), (120.0, 0.6)  # exponent and strength of highlights


@dataclass(frozen=True, eq=False)
class PersonMesh:
    """One person as a mesh, ready for any moment. V vertices and T triangles of head and pieces together.

    pieces (V − head, 3) at rest [dm]; uv (V, 2), follow, opacity, shine (V,) as in ``Piece``; layer_of, texture_of, veil_of (T,)
    by triangle; textures (K, S, S, 4); albedo of the head's vertices.
    """

    person: Person
    head: HeadModel
    pieces: Floats
    triangles: Indices
    uv: Floats
    follow: Floats
    opacity: Floats
    shine: Floats
    layer_of: NDArray[np.uint8]
    texture_of: Indices
    veil_of: NDArray[np.uint8]
    textures: Floats
    albedo: Floats


@dataclass(frozen=True, eq=False)
class RenderedPerson:
    """picture (N, N, 3) 0…1, mask (N, N) of ``MaskLabel``, screen (V, 3) crop coordinates and depth of the vertices."""

    picture: Floats
    mask: NDArray[np.uint8]
    screen: Floats


def build_person_mesh(person: Person, head: HeadModel) -> PersonMesh:
    """Puts the pieces of a person beside their head."""
    count = len(head.mean_shape)
    meshes, start = [head.triangles], count
    layers, textures_of, veils = [_head_layers(head)], [_head_textures(head)], [np.zeros(len(head.triangles), np.uint8)]
    textures = [flat_texture((1, 1, 1)), _skin_detail(person.detail)]
    for piece in person.pieces:
        meshes.append(piece.triangles + start)
        start += len(piece.vertices)
        size = len(piece.triangles)
        layers.append(np.full(size, piece.layer, np.uint8))
        textures_of.append(np.full(size, len(textures), np.int32))
        veils.append(np.full(size, _VEILS.index(piece.veil), np.uint8))
        textures.append(piece.texture)
    shine = np.concatenate([_head_shine(head, person.shine), *(np.full(len(p.vertices), p.shine) for p in person.pieces)])
    return PersonMesh(
        person,
        head,
        np.concatenate([piece.vertices for piece in person.pieces]),
        np.concatenate(meshes).astype(np.int32),
        np.concatenate([_head_uv(person.head.rest), *(piece.uv for piece in person.pieces)]).astype(np.float32),
        np.concatenate([head.follow, *(piece.follow for piece in person.pieces)]),
        np.concatenate([np.ones(count, np.float32), *(piece.opacity for piece in person.pieces)]),
        shine.astype(np.float32),
        np.concatenate(layers),
        np.concatenate(textures_of),
        np.concatenate(veils),
        np.stack(textures),
        head.albedo(person.texture),
    )


class PersonRenderer:
    """Renders pictures of (size, size) pixels; keeps its buffers. One object serves one thread."""

    def __init__(self, size: int) -> None:
        self.size = size
        n = size * SUPERSAMPLING
        self._renderer = create_renderer("cpu", n)
        self._colours = np.zeros((3, n, n, 3), np.float32)
        self._alphas = np.zeros((3, n, n), np.float32)
        self._depths = np.zeros((3, n, n), np.float32)
        self._seen = np.zeros((3, n, n), np.int32)
        self._mask = np.zeros((n, n), np.uint8)
        self._lamp = create_renderer("cpu", SHADOW_PX)

    def take(self, scene: PersonMesh, z: Coefficients, body: Floats, light: Light, background: Floats) -> RenderedPerson:
        """``body`` (6,) is the shoulders' pose, as p; ``background`` (N·2, N·2, 3) 0…1 is painted over."""
        screen, placed = placed_on_screen(scene, z, body)
        attributes = _attributes(scene, placed, light, self._lit(scene, placed, light))
        for layer in range(3):
            own = np.nonzero(scene.veil_of == layer)[0]
            triangles = scene.triangles[own]
            raster = self._renderer.rasterise(screen, triangles)
            self._paint(layer, raster, triangles, attributes, scene, own)
        compose(background, self._colours, self._alphas, self._depths, self._seen, scene.layer_of, self._mask)
        small = cv2.resize(background, (self.size, self.size), interpolation=cv2.INTER_AREA)
        return RenderedPerson(np.asarray(small, np.float32), _majority(self._mask), screen)

    def _lit(self, scene: PersonMesh, placed: Floats, light: Light) -> Floats | None:
        """(V,) share of the key lamp's light that arrives, None when it casts no shadow."""
        if light.shadow == 0:
            return None
        casting = scene.triangles[(scene.veil_of < 2) & (scene.opacity[scene.triangles[:, 0]] > 0.5)]
        return 1 - light.shadow * (1 - lit_share(self._lamp, placed, casting, light.key))

    def _paint(
        self, layer: int, raster: Raster, triangles: Indices, attributes: Floats, scene: PersonMesh, own: NDArray[np.int64]
    ) -> None:
        if len(triangles) == 0:
            self._alphas[layer] = 0
            return
        paint(raster, triangles, attributes, scene.texture_of[own], scene.textures, self._colours[layer], self._alphas[layer])
        self._depths[layer] = raster.depth
        self._seen[layer] = own[raster.triangle]


def placed_on_screen(scene: PersonMesh, z: Coefficients, body: Floats) -> tuple[Floats, Floats]:
    """(V, 3) crop coordinates with depth and (V, 3) camera space; what does not follow the head stays with the shoulders, whose
    pose is ``body`` (6,)."""
    shape = scene.person.head.shape(z.expression, z.gaze)
    vertices = np.concatenate([shape, scene.pieces])
    follow = scene.follow[:, None]
    placed = np.asarray(follow * place(vertices, z.pose) + (1 - follow) * place(vertices, body), np.float32)
    screen = project(placed)
    for eye in scene.head.eyeballs:
        screen[eye, 2] += EYES_DEEPER_DM
    return screen.astype(np.float32), placed


def _attributes(scene: PersonMesh, placed: Floats, light: Light, lit: Floats | None) -> Floats:
    normals = vertex_normals(placed, scene.triangles)
    count = len(scene.albedo)
    albedo = np.ones_like(placed)
    albedo[:count] = scene.albedo * (_NECK_SHADE + (1 - _NECK_SHADE) * scene.follow[:count, None])
    out = np.empty((len(placed), ATTRIBUTES), np.float32)
    out[:, :3] = shade(albedo, normals, light.illumination)
    highlights = _highlights(scene, normals, light)
    if lit is not None:
        out[:, :3] -= (1 - lit)[:, None] * shade(albedo, normals, light.key_illumination)
        highlights *= lit
    out[:, :3] = np.maximum(out[:, :3], 0.02 * albedo)
    out[:, 3:6] = highlights[:, None]
    out[:, 6:8] = scene.uv
    out[:, 8] = scene.opacity
    return out


def _highlights(scene: PersonMesh, normals: Floats, light: Light) -> Floats:
    """(V,) mirror-like light of the key lamp (Blinn and Phong), on skin broad, on eyes small."""
    half = light.key + np.array([0, 0, 1], np.float32)
    cosine = np.clip(normals @ (half / np.linalg.norm(half)), 0, 1)
    exponent = np.full(len(normals), _SKIN_GLOSS[0], np.float32)
    eyes = np.concatenate(scene.head.eyeballs)
    exponent[eyes] = _EYE_GLOSS[0]
    return np.asarray(scene.shine * light.glint * cosine**exponent, np.float32)


def _head_layers(head: HeadModel) -> NDArray[np.uint8]:
    layers = np.full(len(head.triangles), MaskLabel.MOUTH, np.uint8)
    for part, layer in _PARTS.items():
        layers[head.part == part] = layer
    skin = head.part == Part.SKIN
    layers[skin] = np.where(head.follow[head.triangles[skin]].min(1) > 0.99, MaskLabel.SKIN, MaskLabel.NECK)
    return layers


def _head_textures(head: HeadModel) -> Indices:
    """(T,) 1 = skin with pores, 0 = plain."""
    return np.asarray(head.part == Part.SKIN, np.int32)


def _head_shine(head: HeadModel, skin: float) -> Floats:
    shine = np.full(len(head.mean_shape), skin * _SKIN_GLOSS[1], np.float32)
    shine[np.unique(head.triangles[head.part > Part.EYE_RIGHT])] = 0.15
    for eye in head.eyeballs:
        shine[eye] = _EYE_GLOSS[1]
    return shine


def _head_uv(rest: Floats) -> Floats:
    """Around and up, so that the texture's grain is about the same everywhere on the face."""
    around = np.arctan2(rest[:, 0], rest[:, 2] + 0.3)
    return np.asarray(np.stack([around * 0.35, rest[:, 1] * 0.35], 1), np.float32)


def _skin_detail(seed: int) -> Floats:
    """Pores, blotches and freckles as factors around 1."""
    rng = np.random.default_rng([seed, 1])
    size = (TEXTURE_PX, TEXTURE_PX)
    pores = smooth_noise(rng, size, (128, 128)) * rng.uniform(0, 0.035)
    blotches = smooth_noise(rng, size, (20, 20)) * rng.uniform(0, 0.045)
    spots = np.clip(smooth_noise(rng, size, (80, 80)) - rng.uniform(1.6, 3.2), 0, 1)
    texture = flat_texture((1, 1, 1))
    texture[..., :3] += (pores + blotches)[..., None] * [0.8, 1.0, 1.0] - spots[..., None] * [0.2, 0.3, 0.32]
    return texture


def _majority(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(2N, 2N) → (N, N) the label that two of four pixels share, else the first one's."""
    a, b, c, d = mask[::2, ::2], mask[::2, 1::2], mask[1::2, ::2], mask[1::2, 1::2]
    shared = np.where((b == c) | (b == d), b, np.where(c == d, c, a))
    return np.where((a == b) | (a == c) | (a == d), a, shared)
