"""Time, as the program sees it; tests replace it."""

from __future__ import annotations

import time


class SystemClock:
    """The machine's monotonic clock."""

    def now(self) -> float:
        return time.monotonic()

    def wait_until(self, time_s: float) -> None:
        delay_s = time_s - time.monotonic()
        if delay_s > 0:
            time.sleep(delay_s)
