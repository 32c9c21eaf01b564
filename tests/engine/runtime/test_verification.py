"""Verification of engines: what doctor and bench show of them."""

from __future__ import annotations

import numpy as np
import pytest

from engine.errors import AssetError, ConfigError
from engine.generator.variants import TINY_LIVE
from engine.generator.verification import verify_engine
from engine.runtime import engines
from engine.runtime.verification import compare
from tests.engine.generator.exported import bundle


@pytest.mark.parametrize("name", ["onnxruntime", "openvino", "torch"])
def test_an_engine_that_is_there_is_measured(name: str) -> None:
    verification = verify_engine(bundle(TINY_LIVE)[1], name, runs=2, threads=1)
    assert (verification.name, verification.ok, verification.reason) == (name, True, "")
    assert verification.psnr_db is not None
    assert verification.psnr_db >= 60
    assert min(verification.ms or 0, verification.reference_ms or 0, verification.build_s or 0) > 0


def test_one_that_is_not_there_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "first_gpu", lambda: None)
    verification = verify_engine(bundle(TINY_LIVE)[1], "tensorrt")
    assert not verification.ok
    assert "pip install" in verification.reason
    assert (verification.psnr_db, verification.ms, verification.build_s) == (None, None, None)


@pytest.mark.parametrize(
    ("error", "reason"),
    [(AssetError("cannot load it"), "cannot load it"), (RuntimeError("CUDA\n died"), "RuntimeError: CUDA died")],
)
def test_one_that_fails_says_why(monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("engine.runtime.openvino_backend.open_graph", fail)
    verification = verify_engine(bundle(TINY_LIVE)[1], "openvino", runs=1)
    assert not verification.ok
    assert reason in verification.reason


def test_no_engine_has_this_name() -> None:
    with pytest.raises(ConfigError, match="got 'gpu'"):
        verify_engine(bundle(TINY_LIVE)[1], "gpu")


def test_both_are_timed_in_turns() -> None:
    order: list[str] = []
    answers = [lambda: order.append("reference") or np.ones(3, np.float32), lambda: order.append("own") or np.ones(3, np.float32)]
    verification = compare("own", *answers, peak=1.0, runs=3, build_s=1.5)
    assert order[-6:] == ["reference", "own"] * 3
    assert (verification.ok, verification.build_s) == (True, 1.5)
