"""The delay line: how late sound leaves, how it gets there, and what becomes of what is missing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from engine.values import Floats
from vcam.sound.delay import TAPS, DelayLine, interpolated, windowed_sinc
from vcam.sound.streams import RATE_HZ

BLOCK = 480
BLOCK_S = BLOCK / RATE_HZ


class Room:
    """A microphone and a player on one clock: each 10 ms a block of ``sound`` is heard, and one is taken ``in_s`` ahead."""

    def __init__(self, line: DelayLine, sound: Callable[[Floats], Floats], in_s: float = 0.02) -> None:
        self.line, self.sound, self.in_s = line, sound, in_s
        self.now_s = 1000.0
        self.late: Callable[[int], float] = lambda _block: 0.0  # how much later than it was heard a block's time says
        self.heard = 0
        self.taken: list[Floats] = []

    def run(self, seconds: float, *, hears: bool = True, drift: float = 0.0) -> Floats:
        """What is played meanwhile. ``drift``: how much faster the microphone's clock runs."""
        first = len(self.taken)
        for _ in range(round(seconds / BLOCK_S)):
            self.now_s += BLOCK_S
            times_s = self.now_s - BLOCK_S + np.arange(BLOCK) / RATE_HZ
            if hears:
                self.heard += 1
                self.line.hear(self.sound(times_s * (1 - drift)), times_s[0] + self.late(self.heard))
            self.taken.append(self.line.take(BLOCK, self.now_s, self.in_s))
        return np.concatenate(self.taken[first:])

    def delay_s(self, frequency_hz: float = 10.0) -> float:
        """Of what was played last, a tone of that frequency: by how much it is later than it was heard."""
        blocks = round(max(0.2, 1 / frequency_hz) / BLOCK_S)
        played = np.concatenate(self.taken[-blocks:])
        times_s = self.now_s + self.in_s - (blocks - 1) * BLOCK_S + np.arange(len(played)) / RATE_HZ
        turns = np.angle(np.sum(played * np.exp(-2j * np.pi * frequency_hz * times_s))) + np.pi / 2
        return float(-turns / (2 * np.pi * frequency_hz) % (1 / frequency_hz))


def tone(frequency_hz: float = 10.0) -> Callable[[Floats], Floats]:
    return lambda times_s: (0.5 * np.sin(2 * np.pi * frequency_hz * times_s)).astype(np.float32)


def roughest(played: Floats) -> float:
    """The largest change of slope: a click is one."""
    return float(np.abs(np.diff(played, 2)).max())


def test_sound_leaves_by_the_delay_later_than_it_was_heard() -> None:
    room = Room(DelayLine(0.08), tone())
    room.run(1.0)
    assert room.delay_s() == pytest.approx(0.08, abs=0.001)
    assert room.line.drop_outs == 0


@pytest.mark.parametrize("change_s", [-0.03, 0.03, 0.055])
def test_another_delay_is_reached_within_ten_seconds_and_nothing_is_heard_of_it(change_s: float) -> None:
    room = Room(DelayLine(0.09), tone(440.0))
    steady = roughest(room.run(2.0)[BLOCK:])
    room.line.delay_s += change_s
    meanwhile = room.run(10.0)
    assert roughest(meanwhile) < 1.1 * steady
    crossings = np.count_nonzero(np.diff(np.signbit(meanwhile))) / 2 / 10
    assert abs(crossings / 440 - 1) < 0.0055  # half a percent, and half a turn at the ends
    room.sound = tone()
    room.run(1.0)
    assert room.delay_s() % 0.1 == pytest.approx((0.09 + change_s) % 0.1, abs=0.012)
    assert room.line.drop_outs == 0


def test_a_delay_that_is_far_away_is_there_at_once_without_a_click() -> None:
    room = Room(DelayLine(0.05), tone(97.0))
    steady = roughest(room.run(2.0)[BLOCK:])
    room.line.delay_s = 0.5
    assert roughest(room.run(2.0)) < 10 * steady  # a jump without a fade: 150 times
    room.sound = tone(1.0)
    room.run(3.0)
    assert room.delay_s(1.0) == pytest.approx(0.5, abs=0.005)


def test_a_microphone_whose_clock_is_another_keeps_the_delay() -> None:
    room = Room(DelayLine(0.08), tone())
    room.run(20.0, drift=0.0003)
    wandered_s = room.now_s * 0.0003  # of the tone, in this room
    assert (room.delay_s() - wandered_s) % 0.1 == pytest.approx(0.08, abs=0.004)
    assert room.line.drop_outs == 0


def test_times_that_waver_do_not_move_the_sound() -> None:
    room = Room(DelayLine(0.08), tone())
    wavering = np.random.default_rng(0).uniform(-0.008, 0.008, 3000)
    room.late = lambda block: float(wavering[block])
    room.run(5.0)
    delays_s = [(room.run(0.2), room.delay_s())[1] for _ in range(20)]
    assert np.ptp(delays_s) < 0.003
    assert np.mean(delays_s) == pytest.approx(0.08, abs=0.003)


def test_what_comes_too_late_for_the_delay_sets_it_and_is_not_lost() -> None:
    room = Room(DelayLine(0.0), tone())
    room.run(2.0)
    room.run(8.0)
    assert 0.03 < room.delay_s() < 0.05  # 10 ms of a block, 20 of what lies ready, 10 that are asked for
    assert room.line.drop_outs <= 1


def test_when_more_must_lie_ready_than_the_delay_allows_the_sound_becomes_later_at_once() -> None:
    room = Room(DelayLine(0.05), tone(97.0))
    steady = roughest(room.run(2.0)[BLOCK:])
    asked = room.line.take(2400, room.now_s, room.in_s + BLOCK_S)
    room.in_s += len(asked) / RATE_HZ
    played = np.concatenate([asked, room.run(2.0)])
    assert room.line.drop_outs == 1
    assert roughest(played) < 30 * steady
    silent = np.abs(played).reshape(-1, BLOCK).max(1) < 0.1
    assert np.count_nonzero(silent) <= 4


def test_more_lies_ready_the_longer_the_delay_is() -> None:
    leads_s = []
    for delay_s in (0.0, 0.06, 0.1, 1.0):
        room = Room(DelayLine(delay_s), tone())
        room.run(2.0)
        leads_s.append(room.line.lead_s)
    assert leads_s == sorted(leads_s)
    assert (leads_s[0], leads_s[-1]) == (0.02, 0.15)
    assert leads_s[2] == pytest.approx(0.1, abs=0.02)


def test_a_microphone_that_goes_fades_and_comes_back_in_step() -> None:
    room = Room(DelayLine(0.08), tone(97.0))
    steady = roughest(room.run(2.0)[BLOCK:])
    gone = room.run(3.0, hears=False)
    assert not gone[RATE_HZ:].any()
    back = room.run(3.0)
    assert max(roughest(gone), roughest(back)) < 30 * steady
    assert room.line.drop_outs == 1
    room.sound = tone()
    room.run(1.0)
    assert room.delay_s() == pytest.approx(0.08, abs=0.003)


def test_samples_that_were_lost_do_not_move_those_that_follow() -> None:
    room = Room(DelayLine(0.08), tone())
    room.run(2.0)
    room.run(0.1, hears=False)
    room.run(12.0)
    assert room.delay_s() == pytest.approx(0.08, abs=0.003)


def test_before_anything_is_heard_there_is_silence() -> None:
    assert not DelayLine(0.1).take(100, 5.0, 0.01).any()


def test_sound_between_samples_is_what_the_windowed_sinc_says() -> None:
    samples = np.random.default_rng(1).uniform(-1, 1, 200).astype(np.float32)
    positions = 3.3 + 1.004 * np.arange(150)
    fast = interpolated(samples, positions)
    for position, value in zip(positions, fast, strict=True):
        whole = int(position)
        weights = windowed_sinc(np.array([position - whole]))[0]
        assert value == pytest.approx(samples[whole : whole + TAPS] @ weights, abs=1e-3)


@pytest.mark.parametrize("frequency_hz", [100, 1000, 8000, 15_000, 18_000])
def test_a_tone_stays_the_tone_when_it_is_played_half_a_percent_faster(frequency_hz: float) -> None:
    phase = 2 * np.pi * frequency_hz / RATE_HZ
    positions = 10.3 + 1.005 * np.arange(3000)
    made = interpolated(np.sin(phase * np.arange(4000)).astype(np.float32), positions)
    error = made - np.sin(phase * (positions + TAPS // 2 - 1))
    assert 20 * np.log10(np.sqrt(np.mean(error**2)) * np.sqrt(2)) < -75
