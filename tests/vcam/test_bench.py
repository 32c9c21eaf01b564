"""The bench's arithmetic, and its comparison of two runs. What it measures is not tested: that differs by machine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from rich.console import Console
from torch.utils.flop_counter import FlopCounterMode

from engine.errors import InputError
from engine.generator.far import FarGenerator
from engine.generator.variants import LIVE, TINY_LIVE, TINY_PAPER, Variant
from engine.runtime.verification import Verification
from engine.values import COEFFICIENTS
from vcam.bench.engines import network_gflop, peak_gflop_per_s, row
from vcam.cli import bench
from vcam.cli.bench import comparison, numbers, read_run, show

RUN = {
    "end_to_end": {
        "fps": 30.0,
        "latency_ms": {"p50": 50.0, "p95": 60.0},
        "jitter_ms": {"p50": 0.2, "p95": 1.0},
        "cpu_s_per_s": 1.1,
    },
    "stages": {"track": {"p50_ms": 8.0, "p95_ms": 9.0}},
    "memory_mb": 500.0,
    "unpaced": {"fps": 44.0, "cpu_s_per_s": 1.9},
    "engines": [row(Verification("openvino", ok=True, psnr_db=150.0, ms=10.0, build_s=0.5), 1.0, 200.0)],
    "peak_gflop_per_s": 200.0,
}


def printed(text: object) -> str:
    console = Console(width=160, force_terminal=False)
    with console.capture() as captured:
        console.print(text)
    return captured.get()


@pytest.mark.parametrize("variant", [LIVE, TINY_LIVE, TINY_PAPER])
def test_the_networks_operations_are_those_that_torch_counts(variant: Variant) -> None:
    with torch.device("meta"):
        generator = FarGenerator(variant)
        photo = torch.empty(1, 3, variant.size, variant.size)
        guide = torch.empty(1, 5, variant.guide_size, variant.guide_size)
        prior = torch.empty(1, 2, variant.top, variant.top)
        source = generator.source(photo)
        with FlopCounterMode(display=False) as counter:
            generator.frame(torch.empty(1, COEFFICIENTS), guide, prior, source)
    counts = counter.get_flop_counts()["Global"]
    convolutions = sum(count for operator, count in counts.items() if "conv" in str(operator))
    assert network_gflop(variant) == pytest.approx(convolutions / 1e9, rel=1e-6)


def test_an_engines_share_of_the_peak() -> None:
    assert RUN["engines"][0]["gflop_per_s"] == 100.0  # type: ignore[index]
    assert RUN["engines"][0]["share_of_peak"] == 0.5  # type: ignore[index]
    half = row(Verification("openvino-bf16", ok=True, psnr_db=60.0, ms=5.0, build_s=0.5), 1.0, 200.0)
    assert (half["gflop_per_s"], half["share_of_peak"]) == (200.0, None)  # the peak is float32's
    absent = row(Verification("tensorrt", ok=False, reason="no GPU"), 1.0, 200.0)
    assert (absent["ms"], absent["gflop_per_s"], absent["reason"]) == (None, None, "no GPU")


def test_the_peak_is_a_speed() -> None:
    assert peak_gflop_per_s() > 0.1


def test_two_runs_side_by_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "before.json"
    before = json.loads(json.dumps(RUN)) | {"memory_mb": 250.0}
    del before["unpaced"]  # an older program's
    path.write_text(json.dumps(before))
    monkeypatch.setattr(bench, "measure", lambda _seconds, _say, plugins: RUN)
    bench.bench(2, as_json=False, compare=path)
    lines = {line.split("│")[1].strip(): line for line in capsys.readouterr().out.splitlines() if "│" in line}
    assert "2.00" in lines["memory_mb"]
    assert "1.00" in lines["stages.track.p50_ms"]
    assert "44" in lines["unpaced.fps"]
    assert "engines.openvino.ms" in lines


def test_numbers_that_one_run_lacks_are_left_empty() -> None:
    text = printed(comparison({"a": 1.0, "b": 0.0}, {"b": 2.0, "c": 3.0}))
    assert all(name in text for name in "abc")


def test_a_run_as_text() -> None:
    console = Console(width=160, force_terminal=False)
    with console.capture() as captured:
        show(RUN, console)
    text = captured.get()
    for part in ("44.0 pictures/s", "jitter 0.2 ms", "openvino", "50%", "track"):
        assert part in text
    assert set(numbers(RUN)) >= {"end_to_end.fps", "engines.openvino.ms", "memory_mb"}


@pytest.mark.parametrize("content", ["", "[]", '{"a": 1}', None])
def test_a_file_that_is_no_run_is_refused(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "run.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(InputError, match="hifihead bench --json"):
        read_run(path)
