"""How well motion was seen or carried over: the paper's Exp, Angle and Gaze (section 4.1), and what they do not show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from engine.conventions import place, project
from engine.head import HeadModel
from engine.values import BETA, BLINKS, EXPRESSION_NAMES, JAW_OPEN, TAU, Coefficients, Floats, Mask

SMILES = [EXPRESSION_NAMES.index("mouthSmileLeft"), EXPRESSION_NAMES.index("mouthSmileRight")]
SHUT = 0.5  # a blink score above which an eye counts as closed
MM_PER_DM = 100.0


def errors(head: HeadModel, found: Coefficients, true: Coefficients) -> dict[str, float]:
    """Distances between two z of one picture.

    Exp, Angle [rad], Gaze: Euclidean distances of β, of the three angles and of τ, as in the paper; Exp_named: of the 52 ARKit
    shapes alone, which is what drives an avatar; vertices [mm]: mean distance of the face's points in camera space after their
    centres are laid on each other; landmarks [% of the crop's side].
    """
    points = [head.landmarks(head.shape(z.identity, z.expression, z.gaze)) for z in (found, true)]
    placed = [place(p, z.pose) for p, z in zip(points, (found, true), strict=True)]
    centred = [p - p.mean(0) for p in placed]
    seen = [project(p)[:, :2] for p in placed]
    return {
        "Exp": _length(found.expression - true.expression),
        "Exp_named": _length((found.expression - true.expression)[: len(EXPRESSION_NAMES)]),
        "Angle": _length(found.pose[:3] - true.pose[:3]),
        "Gaze": _length(found.gaze - true.gaze),
        "vertices_mm": float(np.linalg.norm(centred[0] - centred[1], axis=1).mean()) * MM_PER_DM,
        "landmarks_percent": float(np.linalg.norm(seen[0] - seen[1], axis=1).mean()) * 50,
    }


def mean_errors(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean of each measure."""
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def blink_counts(found: Floats, true: Floats) -> dict[str, float]:
    """Precision and recall of closed eyes from (N, 261) vectors."""
    precision, recall = precision_recall(blink_scores(found) > SHUT, blink_scores(true) > SHUT)
    return {"blink_precision": precision, "blink_recall": recall}


def precision_recall(found: Mask, true: Mask) -> tuple[float, float]:
    """How much of what was found is true, and how much of what is true was found; 1 where there was nothing."""
    hits = float((found & true).sum())
    return (hits / float(found.sum()) if found.any() else 1.0, hits / float(true.sum()) if true.any() else 1.0)


def blink_scores(z: Floats) -> Floats:
    """(N, 261) → (N, 2) left and right."""
    return expression_of(z)[:, BLINKS]


def expression_of(z: Floats) -> Floats:
    """(N, 261) → (N, 64)."""
    return z[:, BETA]


def pose_of(z: Floats) -> Floats:
    """(N, 261) → (N, 6)."""
    return z[:, 251:257]


def gaze_of(z: Floats) -> Floats:
    """(N, 261) → (N, 4)."""
    return z[:, TAU]


def jitter(z: Floats) -> dict[str, float]:
    """Of a still face, (N, 261) frame after frame: the root mean square of each group's step from frame to frame."""
    step = np.diff(z, axis=0)
    groups = {"jitter_Exp": expression_of(step), "jitter_Angle": pose_of(step)[:, :3], "jitter_Gaze": gaze_of(step)}
    return {name: float(np.sqrt((part**2).sum(1).mean())) for name, part in groups.items()}


def channels(z: Floats, scores: Floats) -> dict[str, Floats]:
    """The curves that are compared in a clip: (N,) each, from (N, 261) z and (N, 52) expression scores."""
    angles = pose_of(z)[:, :3]
    return {
        "jaw": scores[:, JAW_OPEN],
        "smile": scores[:, SMILES].mean(1),
        "blink": scores[:, BLINKS].mean(1),
        "pitch": angles[:, 0],
        "yaw": angles[:, 1],
        "roll": angles[:, 2],
    }


def correlations(found: Mapping[str, Floats], reference: Mapping[str, Floats]) -> dict[str, float]:
    """``correlation`` of each curve."""
    return {name: correlation(found[name], reference[name]) for name in reference}


def correlation(found: Floats, reference: Floats) -> float:
    """Pearson's r of two curves (N,); 0 where one of them never moves."""
    if found.std() < 1e-6 or reference.std() < 1e-6:
        return 0.0
    return float(np.corrcoef(found, reference)[0, 1])


def lag(found: Floats, reference: Floats, most: int) -> int:
    """By how many frames, at most ``most``, ``found`` (N,) comes later than ``reference``: where the two correlate best."""
    frames = range(max(-most, 2 - len(reference)), min(most, len(reference) - 2) + 1)

    def agreement(late: int) -> float:
        first, second = (found[late:], reference[: len(reference) - late]) if late >= 0 else (found[:late], reference[-late:])
        return correlation(first, second)

    return max(frames, key=lambda late: (round(agreement(late), 6), -abs(late)))


def _length(difference: Floats) -> float:
    return float(np.linalg.norm(difference))


def sorted_similarities(found: Mapping[str, Floats], by: str) -> dict[str, Floats]:
    """Method → (N,) cosines of the same N pairs, all in the order in which those of ``by`` rise."""
    order = np.argsort(found[by], kind="stable")
    return {name: values[order] for name, values in found.items()}


def share_above(ours: Floats, theirs: Floats) -> float:
    """In how large a part of the pairs ours is the more similar, 0…1."""
    return float((ours > theirs).mean())
