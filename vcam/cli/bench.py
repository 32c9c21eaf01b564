"""``hifihead bench``: how fast this machine is, everything but the devices included."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from engine.errors import InputError
from vcam.bench.pipeline import bench_settings, measure
from vcam.build import Builder


def bench(
    seconds: float,
    *,
    as_json: bool,
    plugins: bool = False,
    compare: Path | None = None,
    make_builder: type[Builder] = Builder,
) -> None:
    """Prints speed, delay, time per stage and per engine, memory; or how all of that differs from an earlier run."""
    earlier = read_run(compare) if compare else None
    result = measure(seconds, make_builder(bench_settings()), plugins=plugins)
    if as_json:
        Console(soft_wrap=True, highlight=False).print(json.dumps(result, indent=1), markup=False)
    elif earlier is not None:
        Console().print(comparison(numbers(earlier), numbers(result)))
    else:
        show(result, Console())


def read_run(path: Path) -> dict[str, Any]:
    """An earlier run, as ``--json`` printed it; raises InputError."""
    try:
        run = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read ({error}); wanted what 'hifihead bench --json' printed.") from error
    if not isinstance(run, dict) or "end_to_end" not in run:
        raise InputError(f"{path} is no run of the bench; wanted what 'hifihead bench --json' printed.")
    return run


def show(result: dict[str, Any], console: Console) -> None:
    """One run as text."""
    end, unpaced = result["end_to_end"], result["unpaced"]
    latency, jitter = end["latency_ms"], end["jitter_ms"]
    console.print(f"paced    {end['fps']} pictures/s, {end['cpu_s_per_s']} CPU seconds a second")
    console.print(f"         delay {latency['p50']} ms (p95 {latency['p95']}), jitter {jitter['p50']} ms (p95 {jitter['p95']})")
    console.print(f"unpaced  {unpaced['fps']} pictures/s, {unpaced['cpu_s_per_s']} CPU seconds a second")
    console.print(f"memory   {result['memory_mb']} MB")
    stages = Table("stage", "p50 ms", "p95 ms")
    for stage, times in result["stages"].items():
        stages.add_row(stage, f"{times['p50_ms']:.2f}", f"{times['p95_ms']:.2f}")
    console.print(stages)
    if "plugins" in result:
        console.print(plugins_table(result["plugins"]))
    engines = Table("engine", "ms", "GFLOP/s", f"of {result['peak_gflop_per_s']:.0f}", "error dB", "ready s", "")
    absent = [row["name"] for row in result["engines"] if not row["installed"]]
    for row in result["engines"]:
        if row["name"] in absent:
            continue
        share = "" if row["share_of_peak"] is None else f"{row['share_of_peak']:.0%}"
        cells = [text(row[key]) for key in ("ms", "gflop_per_s", "psnr_db", "build_s")]
        engines.add_row(row["name"], cells[0], cells[1], share, *cells[2:], row["reason"])
    console.print(engines)
    console.print(f"not on this machine: {', '.join(absent)}; --json says what each takes", highlight=False)


def plugins_table(run: dict[str, Any]) -> Table:
    """What plug-ins cost, and the whole chain with them."""
    end = run["end_to_end"]
    title = (
        f"with plug-ins: {end['fps']} pictures/s, {end['cpu_s_per_s']} CPU seconds a second, delay {end['latency_ms']['p50']} ms"
    )
    columns = ("plug-in", "drawing waits, ms a picture", "CPU, ms a picture", "")
    table = Table(*columns, title=title, title_justify="left")
    for row in run["each"]:
        table.add_row(row["name"], f"{row['drawing_ms']:.2f}", f"{row['cpu_ms']:.2f}", row["reason"])
    return table


def text(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def numbers(run: dict[str, Any]) -> dict[str, float]:
    """Every number of a run by its path, e.g. "stages.track.p50_ms"; engines by their names."""
    found: dict[str, float] = {}

    def walk(value: Any, path: tuple[str, ...]) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                walk(inner, (*path, key))
        elif isinstance(value, list):
            for inner in value:
                walk(inner, (*path, inner["name"]))
        elif isinstance(value, int | float) and not isinstance(value, bool):
            found[".".join(path)] = float(value)

    walk(run, ())
    return found


def comparison(before: dict[str, float], now: dict[str, float]) -> Table:
    """Both runs side by side; ratio 2 = twice as much as before."""
    table = Table("", "before", "now", "ratio")
    for name in [*before, *(name for name in now if name not in before)]:
        old, new = before.get(name), now.get(name)
        ratio = f"{new / old:.2f}" if old and new is not None else ""
        table.add_row(name, text(old), text(new), ratio)
    return table
