"""Sound by its times: in step however its device counts, without gaps and clicks."""

from __future__ import annotations

import numpy as np
import pytest

from engine.sound_track import STRETCH, SoundTrack

RATE_HZ, BLOCK = 48_000, 480


def test_blocks_in_time_stay_as_they_are() -> None:
    track = SoundTrack(RATE_HZ, 5.0)
    random = np.random.default_rng(0)
    blocks = random.standard_normal((50, BLOCK)).astype(np.float32)
    jitter_s = random.uniform(-0.004, 0.004, 50)
    parts = [
        track.add(block, 5.0 + 0.01 * n + late_s * (n > 0))
        for n, (block, late_s) in enumerate(zip(blocks, jitter_s, strict=True))
    ]
    assert np.array_equal(np.concatenate(parts), blocks.reshape(-1))


@pytest.mark.parametrize("drift", [-300e-6, 300e-6])
def test_a_device_whose_clock_drifts_is_followed_without_a_click(drift: float) -> None:
    track, tone = SoundTrack(RATE_HZ, 0.0), np.sin(0.05 * np.arange(60 * RATE_HZ)).astype(np.float32)
    off_s, parts = [], []
    for number, block in enumerate(tone.reshape(-1, BLOCK)):
        time_s = 0.01 * number * (1 + drift)
        off_s.append(time_s - track.length / RATE_HZ)
        parts.append(track.add(block, time_s))
    assert np.abs(off_s).max() < 0.0065
    joined = np.concatenate(parts)
    assert np.abs(np.diff(joined)).max() <= 0.05 * (1 + 2 * STRETCH)
    assert abs(len(joined) - 60 * RATE_HZ * (1 + drift)) < 0.0065 * RATE_HZ


def test_missing_sound_is_silence_and_what_comes_twice_is_left_out() -> None:
    track, ones = SoundTrack(RATE_HZ, 0.0), np.ones(BLOCK, np.float32)
    parts = [
        track.add(ones, -0.5),  # before the track begins
        track.add(ones, 0.02),
        track.add(ones, 0.53),
        track.add(ones, 0.02),
        track.fill(0.6),
        track.fill(0.2),
        track.add(ones, 0.6),
    ]
    heard = np.flatnonzero(np.diff(np.concatenate([[0], *parts, [0]])))
    assert heard.tolist() == [round(time_s * RATE_HZ) for time_s in (0.02, 0.03, 0.53, 0.54, 0.6, 0.61)]
