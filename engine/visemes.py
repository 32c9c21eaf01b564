"""Visemes heard in speech: how likely each is, every 10 ms, by a small recurrent network that ``trainer.visemes`` trains."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from engine.errors import InputError
from engine.values import Floats

VISEMES = ("sil", "PP", "FF", "TH", "DD", "kk", "CH", "SS", "nn", "RR", "aa", "E", "ih", "oh", "ou")
"""The fifteen of the Oculus lip-sync table: silence, then the classes of consonants and vowels that look alike."""
SILENCE = VISEMES.index("sil")

RATE_HZ, HOP = 48_000, 480  # of sound, and samples from one answer to the next
WINDOW = 1200  # samples of a spectrum, 25 ms
BANDS, LOWEST_HZ, HIGHEST_HZ = 32, 80.0, 7600.0
FLOOR = 1e-9  # power of a band that counts as silence, −90 dB
LOOK_AHEAD = 3  # an answer is for the moment so many hops before its newest sample: what follows a sound tells what it was

VISEME_NETWORK = Path(__file__).parent / "assets" / "visemes.npz"


class VisemeRecogniser:
    """Hears one voice. Not for several threads."""

    def __init__(self, path: Path = VISEME_NETWORK) -> None:
        """Raises InputError when the file is no network of visemes."""
        self._weights = load_weights(path)
        self._heard = np.zeros(WINDOW, np.float32)
        self._state = np.zeros(self._weights["recurrent"].shape[1], np.float32)

    def hear(self, block: Floats) -> Floats:
        """(480,) the next 10 ms, −1…1 → (15,) probabilities of ``VISEMES``, ``LOOK_AHEAD`` hops before the block's end."""
        self._heard = np.concatenate([self._heard[HOP:], block])
        self._state = recurrent_step(self._weights, self._state, log_bands(self._heard[None])[0])
        return softmax(self._weights["answer"] @ self._state + self._weights["answer_bias"])


def log_bands(windows: Floats) -> Floats:
    """(N, 1200) sound → (N, 32) its power in mel bands, as logarithms of about −2…2."""
    spectra = np.fft.rfft(windows * WEIGHTED, axis=-1)
    power = spectra.real**2 + spectra.imag**2
    return np.asarray((np.log10(power @ MEL.T + FLOOR) + 4.5) / 2, np.float32)


def recurrent_step(weights: dict[str, Floats], state: Floats, bands: Floats) -> Floats:
    """One step of a gated recurrent unit (Cho et al. 2014, gates in PyTorch's order: reset, update, new)."""
    size = len(state)
    given = weights["input"] @ bands + weights["input_bias"]
    kept = weights["recurrent"] @ state + weights["recurrent_bias"]
    reset, update = np.split(sigmoid(given[: 2 * size] + kept[: 2 * size]), 2)
    new = np.tanh(given[2 * size :] + reset * kept[2 * size :])
    return np.asarray(new + update * (state - new), np.float32)


def load_weights(path: Path) -> dict[str, Floats]:
    """By name; raises InputError when the file is no network of visemes."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            weights = {name: np.asarray(archive[name], np.float32) for name in archive.files}
        size = weights["recurrent"].shape[1]
        wanted = {
            "input": (3 * size, BANDS),
            "input_bias": (3 * size,),
            "recurrent": (3 * size, size),
            "recurrent_bias": (3 * size,),
            "answer": (len(VISEMES), size),
            "answer_bias": (len(VISEMES),),
        }
    except (OSError, ValueError, KeyError, IndexError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} is no network of visemes ({error}).") from error
    if {name: part.shape for name, part in weights.items()} != wanted or not all(np.isfinite(w).all() for w in weights.values()):
        raise InputError(f"{path} is no network of visemes: its parts have other names or shapes, or are not finite.")
    return weights


def softmax(scores: Floats) -> Floats:
    """Probabilities of scores (N,)."""
    powers = np.exp(scores - scores.max())
    return np.asarray(powers / powers.sum(), np.float32)


def sigmoid(x: Floats) -> Floats:
    """1 / (1 + e⁻ˣ), for any x."""
    return np.asarray(0.5 + 0.5 * np.tanh(0.5 * x), np.float32)


def mel_filters() -> Floats:
    """(32, 601) triangles over the bins of a spectrum, evenly wide in mel; each sums to one, so that noise fills all alike."""

    def mel(hz: float) -> float:
        return float(2595 * np.log10(1 + hz / 700))

    edges_hz = 700 * (10 ** (np.linspace(mel(LOWEST_HZ), mel(HIGHEST_HZ), BANDS + 2) / 2595) - 1)
    bins_hz = np.fft.rfftfreq(WINDOW, 1 / RATE_HZ)
    low, middle, high = (edges_hz[start : start + BANDS, None] for start in range(3))
    triangles = np.maximum(0, np.minimum((bins_hz - low) / (middle - low), (high - bins_hz) / (high - middle)))
    return np.asarray(triangles / np.maximum(triangles.sum(1, keepdims=True), 1e-6), np.float32)


MEL = mel_filters()
WEIGHTED = np.asarray(np.hanning(WINDOW) / np.hanning(WINDOW).sum() * 2, np.float32)  # a full sine has power 1 at its frequency
