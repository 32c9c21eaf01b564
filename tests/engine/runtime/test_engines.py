"""What is said of engines that are not there, and what NVIDIA's driver is asked."""

import ctypes
import sys
from dataclasses import replace
from typing import Any

import pytest

from engine.errors import ConfigError
from engine.runtime import engines, nvidia
from engine.runtime.engines import BETTER, ENGINES, FIRST, engine_names, installed, usable


def test_the_selector_is_made_of_engines_that_exist() -> None:
    assert set(FIRST) | set(BETTER) <= set(engine_names())
    assert all(ENGINES[name].exact for name in FIRST)


@pytest.mark.parametrize("name", [name for name, engine in ENGINES.items() if engine.nvidia])
def test_without_a_gpu_it_says_what_is_missing_and_how_to_get_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "first_gpu", lambda: None)
    assert "no driver of an NVIDIA GPU answers. It takes an NVIDIA GPU with its driver, and: pip" in str(installed(name))
    with pytest.raises(ConfigError, match=rf"'{name}' is not installed.*Installed are .*onnxruntime"):
        usable(name)


def test_with_a_gpu_the_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "first_gpu", lambda: nvidia.Gpu("RTX", "13.0"))
    monkeypatch.setitem(ENGINES, "tensorrt", replace(ENGINES["tensorrt"], library="tensorrt_is_not_here"))
    assert "Python finds no tensorrt_is_not_here" in str(installed("tensorrt"))
    assert "torch finds no CUDA" in str(installed("torch-cuda"))
    assert "was built without CUDA" in str(installed("onnxruntime-cuda"))


def test_a_broken_library_is_an_answer_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ENGINES, "openvino", replace(ENGINES["openvino"], module="engine.runtime.broken"))
    assert "openvino lacks a package" in str(installed("openvino"))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ImportError("libx.so: failed to map segment from shared object"), "memory is too short to load openvino"),
        (OSError(12, "Cannot allocate memory"), "memory is too short to load openvino"),
        (MemoryError(), "memory is too short to load openvino"),
        (ImportError("libgomp.so.1: cannot open shared object file"), "openvino is there, but cannot be loaded"),
    ],
)
def test_a_library_that_cannot_be_loaded_is_not_called_absent(
    error: Exception, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_engine: engines.Engine) -> None:
        raise error

    monkeypatch.setattr(engines, "backend_of", refuse)
    assert words in str(installed("openvino"))
    assert "not installed" not in str(installed("openvino"))


def test_what_belongs_to_another_system_is_not_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    assert "does not exist for" in str(installed("onnxruntime-directml"))


class Driver:
    """NVIDIA's library, with ``gpus`` of them."""

    def __init__(self, gpus: int, fails: int = 0) -> None:
        self._gpus, self._fails = gpus, fails

    def cuInit(self, _flags: int) -> int:  # noqa: N802 — CUDA's name
        return self._fails

    def cuDeviceGetCount(self, count: Any) -> int:  # noqa: N802 — CUDA's name
        count._obj.value = self._gpus
        return 0

    def cuDriverGetVersion(self, version: Any) -> int:  # noqa: N802 — CUDA's name
        version._obj.value = 12080
        return 0

    def cuDeviceGetName(self, name: Any, size: int, number: int) -> int:  # noqa: N802 — CUDA's name
        assert (size, number) == (nvidia.NAME_BYTES, 0)
        name.value = b"NVIDIA RTX"
        return 0 if self._gpus else 101


@pytest.mark.parametrize(
    ("driver", "found"),
    [(Driver(1), nvidia.Gpu("NVIDIA RTX", "12.8")), (Driver(0), None), (Driver(1, fails=100), None)],
)
def test_the_driver_is_asked_for_the_first_gpu(driver: Driver, found: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: driver)
    assert nvidia.first_gpu() == found


def test_without_a_driver_there_is_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr(ctypes, "CDLL", absent)
    assert nvidia.first_gpu() is None
