"""``hifihead doctor --loop``: the virtual camera tried, from both ends."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from engine.errors import DeviceError
from vcam.clock import SystemClock
from vcam.doctor.finding import Finding
from vcam.doctor.loop import LoopResult, run_loop
from vcam.doctor.reader import open_reader
from vcam.doctor.system import System
from vcam.sinks.virtual import VirtualCamera

NAME = "loop"
MOST_COLOUR_ERROR = 12  # of 255; YUV with its colours at half resolution costs 2


def loop_finding(system: System, findings: list[Finding]) -> tuple[Finding, dict[str, Any] | None]:
    """(what came of it, its numbers); without a virtual camera, what is missing."""
    if system.program is None:
        return Finding(NAME, "absent", "not tried: see libraries, above"), None
    if any(finding.name == "virtual camera" and finding.state != "ok" for finding in findings):
        return Finding(NAME, "absent", "not tried: see virtual camera, above"), None
    output = system.program.settings.output
    size = (output.width_px, output.height_px)
    try:
        camera = VirtualCamera(size, output.fps, output.camera_name)
        result = run_loop(camera, lambda: open_reader(camera.device), size, output.fps, clock=SystemClock())
    except DeviceError as error:
        return Finding(NAME, "failed", str(error)), None
    return judged(result, output.fps), asdict(result)


def judged(result: LoopResult, fps: int) -> Finding:
    """Whether a meeting would get what is sent."""
    detail = (
        f"{result.p50_ms:.1f} ms from sending to reading, p95 {result.p95_ms:.1f} ms; {result.dropped} of {result.expected}"
        f" pictures dropped, {result.repeated} repeated, {result.fps:.1f} per second; colours off by {result.colour_error} of 255"
    )
    if result.dropped > result.expected // 2:
        return Finding(NAME, "failed", detail, ("This machine is too busy: close other programs, or lower output.fps.",))
    if result.colour_error > MOST_COLOUR_ERROR:
        return Finding(NAME, "failed", detail, ("The driver changes the colours: update v4l2loopback.",))
    return Finding(NAME, "ok", detail)
