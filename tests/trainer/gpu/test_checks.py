"""Each check passes where all is right, fails where something is wrong, and troubles no other. On the CPU, in small."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

from engine.errors import HifiHeadError
from engine.runtime.device import DeviceStream
from trainer.cli import app
from trainer.generator.training import GeneratorTraining
from trainer.gpu import checks, run
from trainer.gpu.checks import CHECKS, Outcome, perform
from trainer.gpu.command import require_cuda
from trainer.gpu.context import CheckContext
from trainer.gpu.run import BUDGET_S, in_process_of_its_own, run_checks

HERE = CheckContext(torch.device("cpu"), small=True)


@pytest.fixture(autouse=True)
def one_thread() -> Any:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("name", ["machine", "network", "graph", "precision", "ddp", "resume", "loader"])
def test_what_is_right_passes(name: str) -> None:
    outcome = perform(name, HERE)
    assert (outcome.status, outcome.reason) == ("ok", "")
    assert outcome.measures


def test_a_graph_that_replays_nothing_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DeviceStream, "captured", lambda self, work: lambda: None)
    outcome = perform("graph", HERE)
    assert outcome.status == "failed"
    assert "replayed graph differs" in outcome.reason


def test_a_checkpoint_without_the_optimiser_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def forgetful(self: GeneratorTraining, state: Mapping[str, Any]) -> None:
        self.generator.load_state_dict(state["generator"])
        self.steps = state["steps"]

    monkeypatch.setattr(GeneratorTraining, "load_state", forgetful)
    outcome = perform("resume", HERE)
    assert outcome.status == "failed"
    assert "weights differ" in outcome.reason


def test_what_needs_a_gpu_is_absent_without_one() -> None:
    for name in ("tensorrt", "onnxruntime-cuda", "nvdiffrast"):
        outcome = perform(name, HERE)
        assert outcome.status == "absent"
        assert outcome.reason
        assert outcome.proven  # may be absent


def raising(error: BaseException) -> Callable[[str], Any]:
    def load(name: str) -> Any:
        raise error

    return load


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (ModuleNotFoundError("no", name="onnx"), "absent", "the package onnx is not installed"),
        (RuntimeError("CUDA error: an illegal\n memory access"), "failed", "RuntimeError: CUDA error: an illegal memory access"),
    ],
)
def test_whatever_a_library_raises_is_a_line(monkeypatch: pytest.MonkeyPatch, error: Exception, status: str, said: str) -> None:
    monkeypatch.setattr(checks.importlib, "import_module", raising(error))
    outcome = perform("network", HERE)
    assert (outcome.status, outcome.reason) == (status, said)
    assert not outcome.proven  # this one may not be absent


def test_the_budget_ends_what_takes_too_long() -> None:
    now = [0.0]

    def slow(name: str, device: str, limit_s: float) -> Outcome:
        assert limit_s <= CHECKS[name].limit_s
        now[0] += 200.0
        return Outcome(name, "ok", 200.0)

    outcomes = list(run_checks(list(CHECKS), "cuda", slow, lambda: now[0]))
    assert [one.name for one in outcomes] == list(CHECKS)
    reached = int(-(-BUDGET_S // 200))
    assert [one.status for one in outcomes] == ["ok"] * reached + ["failed"] * (len(CHECKS) - reached)
    assert "not reached" in outcomes[-1].reason


def test_a_process_of_its_own_answers_hangs_or_dies(monkeypatch: pytest.MonkeyPatch) -> None:
    assert in_process_of_its_own("machine", "cpu", 120.0).status == "ok"
    hung = in_process_of_its_own("machine", "cpu", 0.01)
    assert (hung.status, "not done after" in hung.reason) == ("failed", True)
    monkeypatch.setattr(run.sys, "executable", "/bin/false")
    died = in_process_of_its_own("machine", "cpu", 10.0)
    assert (died.status, died.reason) == ("failed", "ended with 1: without a word")


@pytest.mark.parametrize(("bad", "status"), [("", 0), ("tensorrt", 0), ("ddp", 1)])
def test_the_exit_code_tells_the_truth(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, bad: str, status: int) -> None:
    def made_up(name: str, device: str, limit_s: float) -> Outcome:
        return Outcome(name, "absent", 1.0, "it is not there") if name == bad else Outcome(name, "ok", 1.0, "", {"dB": 70.0})

    monkeypatch.setattr(run, "in_process_of_its_own", made_up)
    result = CliRunner().invoke(app, ["check-gpu", "--device", "cpu", "--out", str(tmp_path)])
    assert result.exit_code == status
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["proven"] == (status == 0)
    assert [one["name"] for one in report["checks"]] == list(CHECKS)
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert text.count("dB: 70.0") == len(CHECKS) - bool(bad)
    assert ("it is not there" in text) == bool(bad)


def test_without_cuda_it_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(HifiHeadError, match=r"^PyTorch .* finds no CUDA on this machine: there is nothing to check\."):
        require_cuda()
