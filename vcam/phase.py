"""When within its period the sink sends: soon after pictures are drawn, instead of whenever the program happened to start."""

from __future__ import annotations

WAIT_S = 0.006  # how long a picture shall lie ready: drawing takes now more, now less
PULL = 0.02  # share of what it lies too long, by which the next sending comes earlier
STEP_S = 0.0005  # the most that one sending is shifted: nobody sees that
FORGET = 1 / 30  # of the rate of new pictures, per sending
IN_STEP = 0.1  # how far that rate may be from one picture a sending


class Phase:
    """``shift_s`` after each sending. Only pictures that come as often as they are sent can be kept in step with."""

    def __init__(self) -> None:
        self._drawn = 0.0  # new pictures per sending, lately

    def shift_s(self, new_pictures: int, waited_s: float) -> float:
        """By how much the schedule is to be shifted, later being positive.

        ``new_pictures`` were drawn since the last sending, the newest of them ``waited_s`` before this one.
        """
        self._drawn += FORGET * (min(new_pictures, 2) - self._drawn)
        if abs(self._drawn - 1) > IN_STEP:
            return 0.0
        if new_pictures == 0:  # it came too late for this one
            return STEP_S
        return -min(max(PULL * (waited_s - WAIT_S), -STEP_S), STEP_S)
