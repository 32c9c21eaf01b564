"""Engines on trial: what doctor and bench show of them."""

from __future__ import annotations

import numpy as np
import pytest

from engine.errors import AssetError, ConfigError
from engine.generator.variants import TINY_LIVE
from engine.runtime import engines
from engine.runtime.trial import compare, try_engine
from tests.engine.generator.exported import bundle


@pytest.mark.parametrize("name", ["onnxruntime", "openvino", "torch"])
def test_an_engine_that_is_there_is_measured(name: str) -> None:
    trial = try_engine(bundle(TINY_LIVE)[1], name, runs=2, threads=1)
    assert (trial.name, trial.ok, trial.reason) == (name, True, "")
    assert trial.psnr_db is not None
    assert trial.psnr_db >= 60
    assert min(trial.ms or 0, trial.reference_ms or 0, trial.build_s or 0) > 0


def test_one_that_is_not_there_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "first_gpu", lambda: None)
    trial = try_engine(bundle(TINY_LIVE)[1], "tensorrt")
    assert not trial.ok
    assert "pip install" in trial.reason
    assert (trial.psnr_db, trial.ms, trial.build_s) == (None, None, None)


@pytest.mark.parametrize(
    ("error", "reason"),
    [(AssetError("cannot load it"), "cannot load it"), (RuntimeError("CUDA\n died"), "RuntimeError: CUDA died")],
)
def test_one_that_fails_says_why(monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("engine.runtime.openvino_backend.open_graph", fail)
    trial = try_engine(bundle(TINY_LIVE)[1], "openvino", runs=1)
    assert not trial.ok
    assert reason in trial.reason


def test_no_engine_has_this_name() -> None:
    with pytest.raises(ConfigError, match="got 'gpu'"):
        try_engine(bundle(TINY_LIVE)[1], "gpu")


def test_both_are_timed_in_turns() -> None:
    order: list[str] = []
    answers = [lambda: order.append("reference") or np.ones(3, np.float32), lambda: order.append("own") or np.ones(3, np.float32)]
    trial = compare("own", *answers, peak=1.0, runs=3, build_s=1.5)
    assert order[-6:] == ["reference", "own"] * 3
    assert (trial.ok, trial.build_s) == (True, 1.5)
