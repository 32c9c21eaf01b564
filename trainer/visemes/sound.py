"""What speech sounds like where it is recorded: rooms, microphones, noise."""

from __future__ import annotations

import numpy as np
from scipy.fft import irfft, rfft, rfftfreq  # type: ignore[import-untyped]
from scipy.signal import butter, fftconvolve, lfilter, resample_poly  # type: ignore[import-untyped]

from engine.values import Floats
from engine.visemes import HOP, RATE_HZ, SILENCE
from trainer.visemes.speech import Utterance

NOISES = ("white", "pink", "brown", "hum", "clicks", "breath", "babble")


def noise(kind: str, count: int, rng: np.random.Generator, others: list[Floats]) -> Floats:
    """(count,) of mean power 1; of ``NOISES``. ``others``: speech, of which babble is made."""
    if kind in ("white", "pink", "brown"):
        made = coloured(count, {"white": 0.0, "pink": 0.5, "brown": 1.0}[kind], rng)
    elif kind == "hum":
        time_s, base_hz = np.arange(count) / RATE_HZ, rng.choice([50.0, 60.0, 100.0, 120.0]) * rng.uniform(0.98, 1.02)
        made = sum(rng.normal() / n * np.sin(2 * np.pi * n * base_hz * time_s + rng.uniform(0, 6)) for n in range(1, 9))
    elif kind == "clicks":
        made = clicks(count, rng)
    elif kind == "breath":
        made = breaths(count, rng)
    else:
        made = np.zeros(count)
        for _ in range(5):
            other = others[rng.integers(len(others))]
            made += np.roll(np.resize(other, count), rng.integers(count))
    return np.asarray(made / (np.sqrt(np.mean(made**2)) + 1e-9), np.float32)


def coloured(count: int, power: float, rng: np.random.Generator) -> Floats:
    """Noise whose amplitude falls with frequency to that power."""
    spectrum = rfft(rng.standard_normal(count, np.float32))
    spectrum /= np.maximum(rfftfreq(count, 1 / RATE_HZ), 30.0).astype(np.float32) ** power
    return np.asarray(irfft(spectrum, count), np.float32)


def clicks(count: int, rng: np.random.Generator) -> Floats:
    """Keys and mouse buttons: short bursts that ring."""
    made = np.zeros(count, np.float32)
    for _ in range(max(1, round(rng.uniform(1, 8) * count / RATE_HZ))):
        length = int(rng.uniform(0.005, 0.06) * RATE_HZ)
        time_s = np.arange(length) / RATE_HZ
        ringing = np.sin(2 * np.pi * rng.uniform(300, 5000) * time_s) + rng.standard_normal(length, np.float32)
        start = rng.integers(max(1, count - length))
        made[start : start + length] += (rng.uniform(0.2, 1) * ringing * np.exp(-time_s / rng.uniform(0.001, 0.012)))[
            : count - start
        ]
    return made


def breaths(count: int, rng: np.random.Generator) -> Floats:
    """Breath, wind or a fan near the microphone: noise of some band that swells and ebbs."""
    low_hz, high_hz = rng.uniform(100, 800), rng.uniform(1500, 7000)
    filtered = lfilter(*butter(2, [low_hz, high_hz], "bandpass", fs=RATE_HZ), rng.standard_normal(count, np.float32))
    knots = np.arange(0, count + RATE_HZ, RATE_HZ // 3)
    return np.asarray(filtered * np.interp(np.arange(count), knots, rng.uniform(0, 1, len(knots))) ** 2, np.float32)


def resized(said: Utterance, factor: float) -> Utterance:
    """A voice from a throat shorter by ``factor``, and so much faster: the sound is resampled."""
    samples = np.asarray(resample_poly(said.samples, 100, round(100 * factor)), np.float32)
    count = len(samples) // HOP
    at = np.minimum((np.arange(count) * factor).astype(int), len(said.labels) - 1)
    return Utterance(samples[: count * HOP], said.labels[at])


def with_pauses(said: Utterance, rng: np.random.Generator) -> Utterance:
    """The same with silence before and after it."""
    before, after = rng.integers(5, 150), rng.integers(5, 80)
    labels = np.pad(said.labels, (before, after), constant_values=SILENCE)
    return Utterance(np.pad(said.samples, (before * HOP, after * HOP)), labels)


def recorded(said: Utterance, rng: np.random.Generator, others: list[Floats]) -> Utterance:
    """The same after a pause, through a room, a microphone and noise, all drawn by ``rng``; sometimes noise alone."""
    said = with_pauses(resized(said, rng.uniform(0.84, 1.25)), rng)
    samples, labels = said.samples / (np.sqrt(np.mean(said.samples**2)) + 1e-9), said.labels
    if rng.uniform() < 0.15:
        samples, labels = np.zeros_like(samples), np.full_like(labels, SILENCE)
    if rng.uniform() < 0.6:
        samples = in_room(samples, rng)
    for kind in rng.choice(NOISES, rng.integers(1, 4), replace=False):
        below_db = rng.uniform(0, 45) if kind in ("clicks", "breath", "hum") else rng.uniform(6, 50)
        if kind == "babble":
            below_db = max(below_db, 15.0)
        samples = samples + noise(kind, len(samples), rng, others) * 10 ** (-below_db / 20)
    samples = through_microphone(samples, rng)
    level = 10 ** (rng.uniform(-45, -12) / 20)
    samples = samples * level + rng.standard_normal(len(samples), np.float32) * 10 ** (rng.uniform(-95, -70) / 20)
    return Utterance(np.clip(samples, -1, 1).astype(np.float32), labels)


def in_room(samples: Floats, rng: np.random.Generator) -> Floats:
    """With the echoes of a room."""
    length = int(rng.uniform(0.08, 0.45) * RATE_HZ)
    echo = rng.standard_normal(length, np.float32) * np.exp(-6.9 * np.arange(length) / length)
    echo *= rng.uniform(0.1, 0.7) / np.sqrt(np.sum(echo**2))
    echo[: int(0.003 * RATE_HZ)] = 0
    echo[0] = 1
    return np.asarray(fftconvolve(samples, echo)[: len(samples)], np.float32)


def through_microphone(samples: Floats, rng: np.random.Generator) -> Floats:
    """With a microphone's low and high cut-off and its uneven response."""
    count = len(samples)
    hz = rfftfreq(count, 1 / RATE_HZ)
    knots = np.linspace(0, np.log2(24000 / 40), 9)
    response_db = np.interp(np.log2(np.maximum(hz, 40) / 40), knots, rng.normal(0, 4, 9))
    response_db += rng.uniform(-1.5, 1.5) * np.log2(np.maximum(hz, 100) / 1000)
    response_db -= 24 * np.log2(np.maximum(1, rng.uniform(40, 180) / np.maximum(hz, 1)))
    if rng.uniform() < 0.3:
        response_db -= 48 * np.log2(np.maximum(1, hz / rng.choice([3600.0, 5500.0, 7200.0])))
    return np.asarray(irfft(rfft(samples) * (10 ** (response_db / 20)).astype(np.float32), count), np.float32)
