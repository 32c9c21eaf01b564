"""The quality governor lowers work when a thread cannot keep up, raises it when there is room, and does not swing to and fro."""

from __future__ import annotations

import sys
import threading

from tests.fakes import FakeClock, Said
from vcam.pipeline.governor import FULL, LEVELS, PATIENCE_S, SETTLE_S, Governor

NAMES = [level.name for level in LEVELS]


class Machine:
    """Two threads that work 30 times a second; ``draw_s`` says how long drawing takes at each level."""

    def __init__(self, draw_s: dict[str, float], *, steady: bool = False) -> None:
        self.clock, self.said = FakeClock(), Said()
        self.governor = Governor(self.clock, self.said, steady=steady)
        self.draw_s, self.levels = draw_s, [FULL.name]

    def run(self, seconds: float) -> None:
        end_s = self.clock.now() + seconds
        while self.clock.now() < end_s:
            level = self.governor.level
            work_s = self.draw_s[level.name]
            self.clock.pass_time(max(work_s, level.slowness / 30))
            self.governor.worked("drawing", work_s)
            self.governor.worked("tracking", 0.005)
            if self.levels[-1] != self.governor.level.name:
                self.levels.append(self.governor.level.name)


def every(seconds: float) -> dict[str, float]:
    return dict.fromkeys(NAMES, seconds)


def test_a_machine_that_keeps_up_does_all_the_work() -> None:
    machine = Machine(every(0.025))
    machine.run(60)
    assert machine.levels == ["full"]
    assert machine.said == []


def test_it_goes_down_step_by_step_until_it_keeps_up() -> None:
    machine = Machine(every(0.05) | {"geometry only": 0.022})
    machine.run(SETTLE_S + 4.0)
    assert machine.levels == NAMES[:4]
    assert machine.said[0] == "Quality: face every second frame (the machine is busy)."
    machine.run(30)
    assert machine.levels == NAMES[:4]


def test_a_busy_machine_makes_room_for_work_that_is_waited_for() -> None:
    machine = Machine(every(0.05) | {"geometry only": 0.022})
    with machine.governor.yielding():
        assert machine.governor.level == FULL  # it keeps up so far
    machine.run(SETTLE_S + 4.0)
    with machine.governor.yielding(), machine.governor.yielding():
        assert machine.governor.level.slowness > max(level.slowness for level in LEVELS)
        for _ in range(300):  # what that work does to the others' speed decides nothing
            machine.clock.pass_time(0.1)
            machine.governor.worked("drawing", 0.1)
    assert machine.governor.level.name == "geometry only"


def test_below_the_last_step_there_is_none() -> None:
    machine = Machine(every(0.2))
    machine.run(60)
    assert machine.levels == NAMES


def test_it_comes_back_when_there_has_been_room_for_a_while() -> None:
    machine = Machine(every(0.05))
    machine.run(20)
    machine.draw_s = every(0.01)
    machine.run(PATIENCE_S - 0.5)
    assert machine.governor.level is LEVELS[-1]
    machine.run(5 * (PATIENCE_S + 2))
    assert machine.levels == [*NAMES, *NAMES[-2::-1]]
    assert machine.said[-1] == "Quality: full (there is room again)."


def test_after_a_hitch_it_comes_back_though_drawing_takes_most_of_its_time() -> None:
    """Tracking every second frame spares tracking: whether there is room for more is told by tracking."""
    machine = Machine(every(0.022))
    machine.run(10)
    machine.governor.worked("drawing", 1.0)
    machine.run(PATIENCE_S + 3)
    assert machine.levels == ["full", "face every second frame", "full"]


def test_a_step_up_that_was_a_mistake_is_tried_ever_more_seldom() -> None:
    machine = Machine(every(0.01) | {"full": 0.05})
    machine.run(300)
    assert set(machine.levels) == set(NAMES[:2])
    assert len(machine.levels) < 20  # it would be 100 if the patience did not grow


def test_a_short_burst_changes_nothing() -> None:
    machine = Machine(every(0.02))
    machine.run(10)
    machine.governor.worked("drawing", 0.25)
    machine.run(5)
    assert machine.levels == ["full"]


def test_the_start_and_the_time_after_a_rest_do_not_count() -> None:
    machine = Machine(every(0.05))
    machine.run(SETTLE_S - 0.2)
    machine.governor.settle()
    machine.run(SETTLE_S - 0.2)
    assert machine.levels == ["full"]


def test_the_bench_measures_full_work() -> None:
    machine = Machine(every(0.2), steady=True)
    machine.run(30)
    assert machine.levels == ["full"]


def test_threads_may_work_settle_and_look_at_once() -> None:
    """Under a switch interval that interrupts everywhere, as on a busy machine."""
    governor, problems = Governor(FakeClock(), Said()), list[Exception]()

    def work(thread: str) -> None:
        try:
            for _ in range(3000):
                governor.worked(thread, 0.02)  # type: ignore[arg-type]
                governor.settle()
                assert governor.level in LEVELS
        except Exception as error:  # noqa: BLE001 — whatever a race makes of it
            problems.append(error)

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=work, args=(name,)) for name in ("tracking", "drawing", "tracking", "drawing")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert problems == []
