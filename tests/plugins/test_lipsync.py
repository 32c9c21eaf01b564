"""A mouth that follows the voice, held against a spoken sentence whose sounds are known."""

from __future__ import annotations

import wave
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.values import EXPRESSION_NAMES, JAW_OPEN, Coefficients, Floats
from engine.visemes import HOP, RATE_HZ
from plugins.lipsync import INDICES, LipsyncPlugin
from vcam.motion import State
from vcam.plugins.testing import PluginRun

SENTENCE = Path(__file__).with_name("papa.wav")  # flite's voice "slt": "Papa may buy a map."
# when each of its sounds ends [s], as flite -psdur tells it
SOUNDS = """
pau:0.251 p:0.361 aa:0.546 p:0.651 ax:0.726 m:0.781 ey:0.940 b:1.028 ay:1.308 ax:1.330 m:1.437 ae:1.726 p:1.883 pau:2.102
"""
BLOCKS = 3  # of sound between two pictures, 30 ms
SMILE = EXPRESSION_NAMES.index("mouthSmileLeft")


def sentence() -> Floats:
    """48 kHz, in whole pictures."""
    with wave.open(str(SENTENCE)) as file:
        spoken = np.frombuffer(file.readframes(file.getnframes()), np.int16) / 32768
        ratio = RATE_HZ // file.getframerate()
    spoken = np.interp(np.arange(len(spoken) * ratio) / ratio, np.arange(len(spoken)), spoken)
    return spoken[: len(spoken) // (BLOCKS * HOP) * BLOCKS * HOP].astype(np.float32)


def spans() -> list[tuple[str, float, float]]:
    """Sound, start and end [s]."""
    names, ends = zip(*(part.split(":") for part in SOUNDS.split()), strict=True)
    ends_s = [float(end) for end in ends]
    return list(zip(names, [0.0, *ends_s[:-1]], ends_s, strict=True))


def mouths(run: PluginRun, samples: Floats, z: Coefficients | None = None, state: State = "idle") -> Floats:
    """(N, 52) what is shown every 30 ms while it hears the samples."""
    shown = []
    for part in samples.reshape(-1, BLOCKS * HOP):
        run.sound(part)
        shown.append(run.motion(z, state).expression[:52])
    return np.stack(shown)


def jaw_every_10_ms(samples: Floats) -> Floats:
    """How far the jaw is open after each block."""
    with PluginRun(LipsyncPlugin) as run:
        run.motion()
        shown = []
        for block in np.concatenate([np.zeros(RATE_HZ, np.float32), samples]).reshape(-1, HOP):
            run.sound(block)
            shown.append(float(run.motion(state="idle").expression[JAW_OPEN]))
    return np.array(shown[RATE_HZ // HOP :], np.float32)


def smiling() -> Coefficients:
    """A portrait whose mouth is a little open."""
    z = Coefficients.neutral()
    expression = z.expression.copy()
    expression[JAW_OPEN], expression[SMILE] = 0.2, 0.4
    return replace(z, expression=expression)


def test_the_jaw_is_all_but_closed_in_every_p_b_and_m_and_open_in_every_vowel() -> None:
    jaw = jaw_every_10_ms(sentence())
    for sound, start_s, end_s in spans():
        heard = jaw[round((start_s + 0.03) * 100) : round((end_s + 0.08) * 100)]
        if sound in ("p", "b", "m"):
            assert heard.min() < 0.1, (sound, start_s)
        elif sound in ("aa", "ae", "ay", "ey"):
            assert heard.max() > 0.2, (sound, start_s)


def test_the_mouth_is_less_than_80_ms_behind_the_voice() -> None:
    jaw, wanted = jaw_every_10_ms(sentence()), np.zeros(0)
    open_jaw = {"aa": 0.5, "ae": 0.5, "ay": 0.4, "ey": 0.25, "ax": 0.28}
    for sound, _, end_s in spans():
        wanted = np.append(wanted, np.full(round(end_s * 100) - len(wanted), open_jaw.get(sound, 0.0)))
    agreement = [np.corrcoef(jaw[late : len(wanted) + late - 15], wanted[: len(wanted) - 15])[0, 1] for late in range(15)]
    assert max(agreement) > 0.7
    assert (int(np.argmax(agreement)) + 1) * 10 <= 80  # jaw[n] was shown when block n had ended


@pytest.mark.parametrize("level_db", [-90, -50, -30])
def test_quiet_and_noise_leave_the_mouth_at_rest(level_db: float) -> None:
    noise = np.random.default_rng(0).normal(size=3 * RATE_HZ).astype(np.float32) * 10 ** (level_db / 20)
    with PluginRun(LipsyncPlugin) as run:
        shown = mouths(run, noise)
    assert np.abs(shown[30:]).max() < 0.03


def test_a_face_that_is_seen_moves_the_mouth_itself() -> None:
    with PluginRun(LipsyncPlugin) as run:
        shown = mouths(run, sentence(), smiling(), "driving")
    assert np.all(shown == smiling().expression[:52])


def test_always_the_voice_moves_the_mouth_and_the_face_the_smile() -> None:
    with PluginRun(LipsyncPlugin, when="always") as run:
        run.motion(state="waiting")
        shown = mouths(run, sentence(), smiling(), "driving")
    assert np.allclose(shown[:, SMILE], 0.4)
    assert shown[20:, JAW_OPEN].min() < 0.02
    assert shown[20:, JAW_OPEN].max() > 0.3


def test_it_takes_over_softly_when_the_face_is_lost_and_gives_back_when_it_returns() -> None:
    with PluginRun(LipsyncPlugin) as run:
        run.motion(state="waiting")
        silence = np.zeros(20 * BLOCKS * HOP, np.float32)
        states: list[State] = ["driving", "holding", "driving"]
        jaw = np.concatenate([mouths(run, silence, smiling(), state)[:, JAW_OPEN] for state in states])
    assert jaw[19] == pytest.approx(0.2)
    assert jaw[39] == pytest.approx(0.0, abs=1e-3)
    assert jaw[59] == pytest.approx(0.2)
    assert np.abs(np.diff(jaw)).max() < 0.05


def test_at_rest_the_mouth_is_the_portraits_own() -> None:
    with PluginRun(LipsyncPlugin) as run:
        shown = mouths(run, np.zeros(30 * BLOCKS * HOP, np.float32), smiling(), "waiting")
    assert np.allclose(shown, smiling().expression[:52], atol=1e-3)


def test_the_mouth_closes_when_the_microphone_is_gone() -> None:
    with PluginRun(LipsyncPlugin) as run:
        run.motion(state="waiting")
        blocks = iter(sentence().reshape(-1, HOP))
        while run.motion(state="idle").expression[JAW_OPEN] < 0.2:
            run.sound(next(blocks))
        run.now += 1.0
        assert not run.motion(state="idle").expression[INDICES].any()


def test_strength_0_moves_nothing() -> None:
    with PluginRun(LipsyncPlugin, strength=0.0) as run:
        assert not mouths(run, sentence()).any()
