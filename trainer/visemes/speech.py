"""Speech with known visemes, from the free synthesisers espeak-ng and flite (apt: libespeak-ng1, flite)."""

from __future__ import annotations

import ctypes
import subprocess
import tempfile
import wave
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly  # type: ignore[import-untyped]

from engine.errors import InputError
from engine.values import Floats
from engine.visemes import HOP, RATE_HZ, SILENCE, VISEMES

Labels = NDArray[np.int64]

PHONEMES = {  # viseme → sounds, in the international phonetic alphabet
    "PP": "p b m β ɸ ɓ",
    "FF": "f v ʋ ɱ",
    "TH": "θ ð",
    "DD": "t d ɾ ʈ ɖ ʔ",
    "kk": "k g ɡ ŋ x h ɦ ɣ q χ c ɟ",
    "CH": "ʃ ʒ tʃ dʒ ç ɕ ʑ tɕ dʑ ɹʃ",
    "SS": "s z ts dz",
    "nn": "n l ɲ ʎ ɫ ɬ",
    "RR": "r ɹ ʁ ɻ ʀ",
    "aa": "a ɑ æ ʌ ɐ ɶ",
    "E": "e ɛ ə ɜ ɚ ɝ ɘ",
    "ih": "i ɪ j ɨ ᵻ y̯",
    "oh": "o ɔ ɒ ɤ",
    "ou": "u ʊ ʉ w ø œ y ʏ ɥ ɵ",
}
OF_SOUND = {sound: VISEMES.index(viseme) for viseme, sounds in PHONEMES.items() for sound in sounds.split()}

FLITE_PHONEMES = {  # of flite's voices for American English → the same
    "p": "p", "b": "b", "m": "m", "f": "f", "v": "v", "th": "θ", "dh": "ð", "t": "t", "d": "d", "k": "k", "g": "g", "ng": "ŋ",
    "hh": "h", "sh": "ʃ", "zh": "ʒ", "ch": "tʃ", "jh": "dʒ", "s": "s", "z": "z", "n": "n", "l": "l", "r": "ɹ", "y": "j", "w": "w",
    "aa": "ɑ", "ae": "æ", "ah": "ʌ", "ax": "ə", "ao": "ɔ", "aw": "aʊ", "ay": "aɪ", "eh": "ɛ", "er": "ɜ", "ey": "eɪ", "ih": "ɪ",
    "iy": "i", "ow": "oʊ", "oy": "ɔɪ", "uh": "ʊ", "uw": "u",
}  # fmt: skip
PLOSIVES = "pbtdkgɡ"
CLOSURE_POWER = 10**-2.5  # of the loudest
LONGEST_CLOSURE = 20  # of 5 ms
FIRST_OF_TWO = 0.6  # share of a diphthong's time that its first vowel takes


@dataclass(frozen=True)
class Utterance:
    """Something said.

    samples  (N,) float32, 48 kHz, mono, −1…1
    labels   (N // 480,) index of ``VISEMES`` in the middle of each 10 ms
    """

    samples: Floats
    labels: Labels


@dataclass(frozen=True)
class Sound:
    """A phoneme, as it is written in the international phonetic alphabet, and when it begins [s]."""

    name: str
    start_s: float


class Espeak:
    """The library espeak-ng. One at a time: it has one state for the whole process."""

    def __init__(self) -> None:
        """Raises InputError when it is not installed."""
        try:
            self._library = ctypes.CDLL("libespeak-ng.so.1")
        except OSError as error:
            raise InputError("espeak-ng is wanted and not installed; type: apt install libespeak-ng1") from error
        self._rate_hz = self._library.espeak_Initialize(2, 0, None, 3)  # at once, into memory; events for phonemes, in IPA
        self._samples: list[int] = []
        self._sounds: list[Sound] = []
        self._callback = CALLBACK(self._take)  # held: the library keeps its address
        self._library.espeak_SetSynthCallback(self._callback)

    def say(self, text: str, voice: str, *, words_per_minute: int = 165, pitch: int = 50) -> Utterance:
        """``voice``: a language and a variant, as "en-us+f2"; pitch 0…99. Raises InputError when there is no such voice."""
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise InputError(f"espeak-ng has no voice {voice!r}.")
        self._library.espeak_SetParameter(1, words_per_minute, 0)
        self._library.espeak_SetParameter(3, pitch, 0)
        self._samples.clear()
        self._sounds.clear()
        said = text.encode()
        self._library.espeak_Synth(said, len(said) + 1, 0, 1, 0, 1, None, None)
        self._library.espeak_Synchronize()
        samples = np.array(self._samples, np.float32) / 32768
        return utterance(samples, self._rate_hz, with_closures(samples, self._rate_hz, self._sounds))

    def _take(self, samples: Any, count: int, events: Any) -> int:
        if count > 0:
            self._samples.extend(samples[:count])
        number = 0
        while (kind := events[number].type) != 0:
            if kind == 7:  # a phoneme begins
                name = events[number].name.decode(errors="ignore")
                self._sounds.append(Sound(name, events[number].sample / self._rate_hz))
            number += 1
        return 0


class Event(ctypes.Structure):
    """``espeak_EVENT`` of speak_lib.h."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("name", ctypes.c_char * 8),
    )


CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(Event))


def flite(text: str, voice: str, *, stretch: float = 1.0) -> Utterance:
    """The program flite; voices "kal16", "awb", "rms", "slt". Raises InputError when it is not installed."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "said.wav"
        command = ["flite", "-voice", voice, "-psdur", "--setf", f"duration_stretch={stretch}", "-t", text, "-o", str(path)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise InputError(f"flite is wanted and does not work ({error}); type: apt install flite") from error
        with wave.open(str(path)) as file:
            rate_hz = file.getframerate()
            samples = np.frombuffer(file.readframes(file.getnframes()), np.int16).astype(np.float32) / 32768
    sounds, start_s = [], 0.0
    for segment in done.stdout.split():
        name, _, end_s = segment.partition(":")
        sounds.append(Sound(FLITE_PHONEMES.get(name, ""), start_s))
        start_s = float(end_s)
    return utterance(samples, rate_hz, sounds)


def utterance(samples: Floats, rate_hz: int, sounds: Iterable[Sound]) -> Utterance:
    """Sound (N,) at any rate, and its phonemes in order."""
    common = int(np.gcd(rate_hz, RATE_HZ))
    samples = np.asarray(resample_poly(samples, RATE_HZ // common, rate_hz // common), np.float32)
    count = len(samples) // HOP
    labels = np.full(count, SILENCE, np.int64)
    middles_s = (np.arange(count) + 0.5) * HOP / RATE_HZ
    ordered = [*sounds, Sound("", len(samples) / RATE_HZ)]
    for sound, after in pairwise(ordered):
        first, last = visemes_of(sound.name)
        turn_s = sound.start_s + FIRST_OF_TWO * (after.start_s - sound.start_s)
        labels[(middles_s >= sound.start_s) & (middles_s < turn_s)] = first
        labels[(middles_s >= turn_s) & (middles_s < after.start_s)] = last
    return Utterance(samples[: count * HOP], labels)


def with_closures(samples: Floats, rate_hz: int, sounds: list[Sound]) -> list[Sound]:
    """espeak-ng's plosives begin with their burst; here they begin with the silence before it, in which the mouth is closed."""
    hop = rate_hz // 200
    power = (samples[: len(samples) // hop * hop].reshape(-1, hop) ** 2).mean(1)
    silent = power < power.max(initial=0) * CLOSURE_POWER
    moved, end = [], 0
    for sound in sounds:
        start = round(sound.start_s * rate_hz / hop)
        if sound.name[:1] and sound.name[:1] in PLOSIVES:
            earliest = max(start - LONGEST_CLOSURE, end + 1)
            while start > earliest and silent[min(start, len(silent)) - 1]:
                start -= 1
        end = round(sound.start_s * rate_hz / hop)
        moved.append(Sound(sound.name, min(sound.start_s, start * hop / rate_hz)))
    return moved


def visemes_of(sound: str) -> tuple[int, int]:
    """A phoneme's first and last viseme, which differ in diphthongs; silence of what is none."""
    plain = "".join(letter for letter in sound if letter not in "ːˑ̩̃ʲʰˈˌ̪͡")
    if plain in OF_SOUND:
        return OF_SOUND[plain], OF_SOUND[plain]
    found = [OF_SOUND[letter] for letter in plain if letter in OF_SOUND]
    return (found[0], found[-1]) if found and not plain.startswith("(") else (SILENCE, SILENCE)
