"""The engines: what can run a network here, by name. Each library is imported by one module only, and not before it is wanted."""

from __future__ import annotations

import importlib
import importlib.util
import platform
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from engine.errors import ConfigError
from engine.process import MORE_MEMORY, memory_is_short
from engine.runtime.cache import EngineCache
from engine.runtime.nvidia import first_gpu


@dataclass(frozen=True)
class Engine:
    """One way to run an exported graph.

    module     the only module that imports the library
    library    what Python must find for it
    option     what the module is told: an execution provider, a device or a precision
    get        what to have and to type, so that it is there
    exact      whether it computes in float32 throughout, and so must answer as torch does
    nvidia     whether it needs an NVIDIA GPU
    system     the ``sys.platform`` that it exists on; "" = any
    on_device  whether its sessions are ``engine.runtime.device.DeviceSession``s
    """

    module: str
    library: str
    option: str
    get: str
    exact: bool = False
    nvidia: bool = False
    system: str = ""
    on_device: bool = False


@dataclass(frozen=True)
class BuildContext:
    """What an engine is built with.

    cache         what is kept from earlier builds
    progress      hears how far a build is, 0…1, and says whether to go on
    torch_module  rebuilds a graph's torch module, for the engines that run it; None for a network that has none
    """

    cache: EngineCache = field(default_factory=EngineCache)
    progress: Callable[[float], bool] = lambda _share: True
    torch_module: Callable[[Path], Any] | None = None


_ORT, _OPENVINO, _TORCH = (f"engine.runtime.{name}_backend" for name in ("onnxruntime", "openvino", "torch"))
_NVIDIA = 'an NVIDIA GPU with its driver, and: pip install "hifihead-cam[nvidia]"'
_ORT_GPU = 'pip uninstall onnxruntime; pip install "onnxruntime-gpu[cuda,cudnn]"'

ENGINES = {
    "torch": Engine(_TORCH, "torch", "cpu", 'pip install "hifihead-cam[train]"', exact=True, on_device=True),
    "onnxruntime": Engine(_ORT, "onnxruntime", "CPU", "pip install onnxruntime", exact=True),
    "openvino": Engine(_OPENVINO, "openvino", "f32", "an x86 processor, and: pip install openvino", exact=True),
    "openvino-bf16": Engine(
        _OPENVINO, "openvino", "bf16", "an x86 processor that computes in bfloat16, and: pip install openvino"
    ),
    "onnxruntime-coreml": Engine(_ORT, "onnxruntime", "CoreML", "a Mac, and: pip install onnxruntime", system="darwin"),
    "onnxruntime-directml": Engine(
        _ORT, "onnxruntime", "Dml", "Windows, and: pip uninstall onnxruntime; pip install onnxruntime-directml", system="win32"
    ),
    "onnxruntime-cuda": Engine(_ORT, "onnxruntime", "CUDA", f"an NVIDIA GPU with its driver, and: {_ORT_GPU}", nvidia=True),
    "onnxruntime-tensorrt": Engine(
        _ORT, "onnxruntime", "Tensorrt", f"an NVIDIA GPU with its driver, and: {_ORT_GPU} tensorrt", nvidia=True
    ),
    "torch-cuda": Engine(_TORCH, "torch", "cuda", _NVIDIA, nvidia=True, on_device=True),
    "tensorrt": Engine("engine.runtime.tensorrt_backend", "tensorrt", "fp16", _NVIDIA, nvidia=True, on_device=True),
}
FIRST = ("openvino", "onnxruntime")  # "auto" begins with the first of these that works: ready at once, and exact
# …and tries these in this order. onnxruntime-tensorrt is built anew at every start: by name only.
BETTER = ("openvino-bf16", "onnxruntime-coreml", "onnxruntime-directml", "onnxruntime-cuda", "torch-cuda", "tensorrt")


def better_engines() -> Iterator[str]:
    """Of ``BETTER`` those that are installed; each library is imported when its turn comes."""
    return (name for name in BETTER if installed(name) is None)


def engine_names() -> list[str]:
    """Every engine there is, installed or not."""
    return list(ENGINES)


def installed(name: str) -> str | None:
    """None when the engine can be used on this machine, else a sentence: what is missing and how to get it. Imports its library.

    Raises ConfigError for a name that no engine has.
    """
    engine = known(name)
    try:
        reason = _missing(engine)
    except (ImportError, OSError, ValueError, MemoryError) as error:  # so a library says that it cannot be loaded
        if memory_is_short(error):
            return f"The engine '{name}' cannot be used: memory is too short to load {engine.library} ({error}). {MORE_MEMORY}"
        return f"The engine '{name}' cannot be used: {engine.library} is there, but cannot be loaded ({error}). Install it again."
    return reason and f"The engine '{name}' is not installed: {reason}. It takes {engine.get}."


def known(name: str) -> Engine:
    """The engine of that name; raises ConfigError, with the names there are."""
    if name not in ENGINES:
        raise ConfigError(f"The engine must be auto, {', '.join(ENGINES)}; got '{name}'.")
    return ENGINES[name]


def usable(name: str) -> Engine:
    """The engine of that name; raises ConfigError when it cannot be used here, with those that can."""
    reason = installed(name)
    if reason is not None:
        others = ", ".join(other for other in ENGINES if installed(other) is None)
        raise ConfigError(f"{reason} Installed are {others}.")
    return ENGINES[name]


def backend_of(engine: Engine) -> ModuleType:
    """The engine's module, imported; raises what its library raises when it cannot be."""
    return importlib.import_module(engine.module)


def _missing(engine: Engine) -> str | None:
    if engine.system not in ("", sys.platform):
        return f"it does not exist for {platform.system()}"
    if engine.nvidia and first_gpu() is None:
        return "no driver of an NVIDIA GPU answers"
    if importlib.util.find_spec(engine.library) is None:
        return f"Python finds no {engine.library}"
    try:
        backend = backend_of(engine)
    except ModuleNotFoundError as error:
        return f"{engine.library} lacks a package ({error})"
    reason: str | None = backend.missing(engine.option)
    return reason
