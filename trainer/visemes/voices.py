"""Who says the sentences: voices to learn from, and others to measure on."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from trainer.visemes.sentences import LEARNED, MEASURED, sentences
from trainer.visemes.speech import Espeak, Utterance, flite

ENGLISH = ("en-us", "en", "en-gb-scotland", "en-gb-x-rp", "en-029")
VARIANTS = (
    "", "+m1", "+m2", "+m3", "+m4", "+m6", "+m7", "+f1", "+f2", "+f4", "+klatt2", "+klatt3", "+Andy", "+steph", "+Annie", "+Alex",
    "+Michael", "+john", "+paul", "+linda", "+grandma", "+anika", "+robert", "+max", "+ed", "+shelby", "+victor",
)  # fmt: skip
FLITE_LEARNED = ("kal16", "awb", "rms")

MEASURED_VARIANTS = ("+f3", "+f5", "+m5", "+klatt")
FLITE_MEASURED = "slt"


def learned(espeak: Espeak, rng: np.random.Generator) -> Iterator[Utterance]:
    """Every sentence to learn from, in several voices drawn by ``rng``."""
    for language, text in LEARNED.items():
        for sentence in sentences(text):
            for _ in range(7):
                accent = rng.choice(ENGLISH) if language == "en" else language
                yield espeak.say(
                    sentence,
                    f"{accent}{rng.choice(VARIANTS)}",
                    words_per_minute=int(rng.integers(120, 230)),
                    pitch=int(rng.integers(15, 85)),
                )
            if language == "en":
                for voice in FLITE_LEARNED * 3:
                    yield flite(sentence, voice, stretch=float(rng.uniform(0.8, 1.3)))


def measured(espeak: Espeak) -> dict[str, list[Utterance]]:
    """By synthesiser and language: other sentences in voices that were not learned from; the same at each call."""
    found = {
        f"espeak-ng {language}": [
            espeak.say(sentence, f"{'en-us' if language == 'en' else language}{variant}", words_per_minute=160)
            for sentence in sentences(text)
            for variant in MEASURED_VARIANTS
        ]
        for language, text in MEASURED.items()
    }
    return found | {f"flite {FLITE_MEASURED}": [flite(sentence, FLITE_MEASURED) for sentence in sentences(MEASURED["en"])]}
