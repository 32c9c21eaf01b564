"""What a person does at one moment: expression, gaze, turn of head and body. Distributions cover more than webcams show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.values import EXPRESSION, EXPRESSION_NAMES, Floats
from trainer.data.synthetic.noise import between, chance

MAX_YAW_RAD, MAX_PITCH_RAD, MAX_ROLL_RAD = np.deg2rad([60.0, 35.0, 35.0])
LIMITS_RAD = np.array([MAX_PITCH_RAD, MAX_YAW_RAD, MAX_ROLL_RAD])
MIN_GAZE, MAX_GAZE = (-0.5, -0.36), (0.5, 0.26)  # sine toward the person's left, up; upper lids hide what is higher
GAZE_FULL = (0.5, 0.42)  # gaze at which ARKit's eyeLook scores reach 1
_INDEX = {name: i for i, name in enumerate(EXPRESSION_NAMES)}

# What faces often do, by groups of ARKit scores at full strength; "X*" stands for both sides.
_HABITS: tuple[dict[str, float], ...] = (
    {"mouthSmile*": 0.7, "cheekSquint*": 0.4, "eyeSquint*": 0.3},
    {"mouthSmile*": 0.9, "mouthUpperUp*": 0.45, "mouthLowerDown*": 0.35, "jawOpen": 0.12, "cheekSquint*": 0.6, "eyeSquint*": 0.4},
    {"mouthSmile*": 0.7, "jawOpen": 0.55, "mouthUpperUp*": 0.5, "mouthLowerDown*": 0.6, "cheekSquint*": 0.6},
    {"jawOpen": 0.35, "mouthLowerDown*": 0.2},
    {"jawOpen": 0.2, "mouthFunnel": 0.6},
    {"mouthPucker": 0.9, "mouthFunnel": 0.2},
    {"jawOpen": 0.5, "mouthClose": 0.45},
    {"mouthPress*": 0.7, "mouthRollLower": 0.4, "mouthRollUpper": 0.3},
    {"mouthStretch*": 0.6, "jawOpen": 0.15, "mouthLowerDown*": 0.5},
    {"browInnerUp": 0.8, "browOuterUp*": 0.8, "eyeWide*": 0.8, "jawOpen": 0.4},
    {"browDown*": 0.9, "eyeSquint*": 0.5, "mouthPress*": 0.5},
    {"browInnerUp": 0.7, "mouthFrown*": 0.8, "mouthShrugLower": 0.5},
    {"noseSneer*": 0.9, "mouthUpperUp*": 0.6, "browDown*": 0.5},
    {"jawOpen": 1.0, "eyeSquint*": 0.5, "browInnerUp": 0.3},
    {"cheekPuff": 0.9, "mouthPress*": 0.4, "mouthPucker": 0.3},
    {"jawOpen": 0.4, "tongueOut": 0.9},
    {"mouthLeft": 0.7}, {"mouthRight": 0.7}, {"jawLeft": 0.7}, {"jawRight": 0.7}, {"jawForward": 0.8},
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class HeadState:
    """expression (64,) β; gaze (4,) τ; turn (3,) pitch, yaw, roll of the head and body_turn (3,) of the shoulders [rad]."""

    expression: Floats
    gaze: Floats
    turn: Floats
    body_turn: Floats


def draw_head_state(rng: np.random.Generator, *, calm: bool = False) -> HeadState:
    """One moment; ``calm``: looking roughly ahead."""
    turn = _draw_calm_turn(rng) if calm or chance(rng, 0.5) else _draw_any_turn(rng)
    body = turn * [0.1, between(rng, 0.0, 0.6), 0.15] + rng.normal(0, 1, 3) * [0.05, 0.12, 0.04]
    gaze = _draw_gaze(rng, turn)
    expression = _draw_expression(rng)
    _move_lids(rng, expression, gaze)
    return HeadState(expression, gaze, turn.astype(np.float32), body.astype(np.float32))


def _draw_calm_turn(rng: np.random.Generator) -> Floats:
    """As on webcams, where half the heads look."""
    return np.asarray(np.clip(rng.normal(0, 1, 3) * np.deg2rad([9, 14, 6]), -LIMITS_RAD, LIMITS_RAD), np.float32)


def _draw_any_turn(rng: np.random.Generator) -> Floats:
    """Anywhere within the limits."""
    turn = rng.uniform(-1, 1, 3) * LIMITS_RAD
    turn[[0, 2]] *= rng.uniform(0.3, 1)  # seldom all at once
    return np.asarray(turn, np.float32)


def _draw_gaze(rng: np.random.Generator, turn: Floats) -> Floats:
    """Into the camera, or anywhere; both eyes almost alike, converging a little."""
    if chance(rng, 0.4):
        aim = np.array([-np.sin(turn[1]), np.sin(turn[0])]) + rng.normal(0, 0.05, 2)
    else:
        aim = rng.uniform(MIN_GAZE, MAX_GAZE) * rng.uniform(0.3, 1)
    toward_nose = rng.uniform(0, 0.05)
    both = np.array([aim[0] - toward_nose, aim[1], aim[0] + toward_nose, aim[1]]) + rng.normal(0, 0.01, 4)
    return np.asarray(np.clip(both, np.tile(MIN_GAZE, 2), np.tile(MAX_GAZE, 2)), np.float32)


def _draw_expression(rng: np.random.Generator) -> Floats:
    """(64,) β before the lids: calm, a habit or two, single units; sometimes lopsided, sometimes all at its extreme."""
    beta = np.zeros(EXPRESSION, np.float32)
    kind = rng.random()
    habits = 0 if kind < 0.2 else 1 if kind < 0.6 else 2
    for habit in rng.choice(len(_HABITS), habits, replace=False):
        _add(beta, _HABITS[habit], between(rng, 0.2, 1.15), between(rng, 0, 0.5) if chance(rng, 0.3) else 0.0, rng)
    single = rng.random(52) < (0.03 if kind < 0.2 else 0.12)
    beta[:52] = np.maximum(beta[:52], single * rng.beta(1.2, 2.0, 52))
    if chance(rng, 0.3):  # talking
        beta[_INDEX["jawOpen"]] = max(beta[_INDEX["jawOpen"]], between(rng, 0.02, 0.5))
    beta[52:] = rng.normal(0, 0.35, EXPRESSION - 52)
    _exclude(beta)
    return np.clip(beta, -1.2, 1) if beta[52:].any() else beta


def _add(beta: Floats, habit: dict[str, float], strength: float, lopsided: float, rng: np.random.Generator) -> None:
    side = "Left" if chance(rng, 0.5) else "Right"
    for name, full in habit.items():
        value = full * strength * between(rng, 0.75, 1.2)
        for each in [name] if not name.endswith("*") else [name[:-1] + "Left", name[:-1] + "Right"]:
            weaker = 1 - lopsided if name.endswith("*") and each.endswith(side) else 1.0
            beta[_INDEX[each]] = min(1.0, beta[_INDEX[each]] + value * weaker)


def _exclude(beta: Floats) -> None:
    """Movements that cannot go together: the stronger one stays. Lips close only as far as the jaw is open."""
    for a, b in (("jawLeft", "jawRight"), ("mouthLeft", "mouthRight"), ("mouthPucker", "mouthFunnel")):
        weaker = _INDEX[a] if beta[_INDEX[a]] < beta[_INDEX[b]] else _INDEX[b]
        beta[weaker] = 0
    beta[_INDEX["mouthClose"]] = min(beta[_INDEX["mouthClose"]], beta[_INDEX["jawOpen"]])
    beta[_INDEX["tongueOut"]] *= beta[_INDEX["jawOpen"]] > 0.25
    smile = max(beta[_INDEX["mouthSmileLeft"]], beta[_INDEX["mouthSmileRight"]])
    for name in ("mouthFrownLeft", "mouthFrownRight", "mouthPucker", "mouthFunnel"):
        beta[_INDEX[name]] *= 1 - 0.8 * smile


def _move_lids(rng: np.random.Generator, beta: Floats, gaze: Floats) -> None:
    """Blinks and winks, and lids that go with the gaze."""
    kind = rng.random()
    left = right = max(0.0, rng.normal(0.03, 0.06))
    if kind < 0.15:
        left = right = between(rng, 0.88, 1.0)
    elif kind < 0.3:
        left = right = between(rng, 0.15, 0.88)
    elif kind < 0.36:
        left, right = rng.permutation([between(rng, 0.5, 1.0), between(rng, 0.0, 0.4)])
    for name, value in (("eyeBlinkLeft", left), ("eyeBlinkRight", right)):
        beta[_INDEX[name]] = np.clip(value + rng.normal(0, 0.02), 0, 1)
    for side, (x, y), inward in (("Left", gaze[:2], -1), ("Right", gaze[2:], 1)):
        beta[_INDEX[f"eyeLookIn{side}"]] = np.clip(x * inward / GAZE_FULL[0], 0, 1)
        beta[_INDEX[f"eyeLookOut{side}"]] = np.clip(-x * inward / GAZE_FULL[0], 0, 1)
        beta[_INDEX[f"eyeLookUp{side}"]] = np.clip(y / GAZE_FULL[1], 0, 1)
        beta[_INDEX[f"eyeLookDown{side}"]] = np.clip(-y / GAZE_FULL[1], 0, 1)
        beta[_INDEX[f"eyeWide{side}"]] *= 1 - beta[_INDEX[f"eyeBlink{side}"]]
