"""``hifihead bench``: how fast this machine is, everything but the devices included."""

from __future__ import annotations

import json

from rich.console import Console
from rich.table import Table

from vcam.bench import measure


def bench(seconds: float, *, as_json: bool) -> None:
    """Prints frames per second, latency, time per stage and memory."""
    result = measure(seconds)
    if as_json:
        Console(soft_wrap=True, highlight=False).print(json.dumps(result, indent=1), markup=False)
        return
    console = Console()
    end = result["end_to_end"]
    latency = end["latency_ms"]
    console.print(f"{end['fps']} pictures/s, latency {latency['p50']} ms (p95 {latency['p95']} ms), {result['memory_mb']} MB")
    grid = Table("stage", "p50 ms", "p95 ms")
    for stage, times in result["stages"].items():
        grid.add_row(stage, f"{times['p50_ms']:.2f}", f"{times['p95_ms']:.2f}")
    console.print(grid)
