"""The checks by name, and what each of them answers. Their modules are imported when one is run: torch takes seconds."""

from __future__ import annotations

import importlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from trainer.gpu.context import CheckContext

Status = Literal["ok", "failed", "absent"]
Measures = Mapping[str, float | str]


class CheckFailedError(Exception):
    """What was computed is wrong."""


class AbsentError(Exception):
    """What was to be checked is not on this machine."""


@dataclass(frozen=True)
class GpuCheck:
    """One thing to prove.

    what      in a line of the report
    function  "module:function" of this package: (CheckContext) → measures; raises CheckFailedError, AbsentError, or anything
    limit_s   its process is ended then
    optional  whether it may be absent without the whole being called unproven
    """

    what: str
    function: str
    limit_s: float = 90.0
    optional: bool = False


CHECKS = {
    "machine": GpuCheck("the card, its memory and its arithmetic", "machine:describe"),
    "network": GpuCheck("the network on the card against the processor's, values and gradients", "networks:agreement"),
    "graph": GpuCheck("a CUDA graph against the same work launched piece by piece", "networks:captured"),
    "torch-cuda": GpuCheck("the engine torch-cuda against the reference", "engines:torch_cuda"),
    "onnxruntime-cuda": GpuCheck("the engine onnxruntime-cuda against the reference", "engines:onnxruntime_cuda", optional=True),
    "tensorrt": GpuCheck("the engine tensorrt against the reference", "engines:tensorrt", 240.0, optional=True),
    "nvdiffrast": GpuCheck("the renderer on the card against the processor's", "engines:nvdiffrast", optional=True),
    "precision": GpuCheck("training in bfloat16 and float16 against float32", "training:precisions"),
    "ddp": GpuCheck("gradients through nccl and DistributedDataParallel against plain ones", "training:distributed"),
    "resume": GpuCheck("a training that goes on against one that never stopped", "training:resumed"),
    "live": GpuCheck("training of live: pictures a second", "speed:live", 120.0),
    "paper": GpuCheck("training of paper: pictures a second", "speed:paper", 150.0),
    "regressor": GpuCheck("training of the regressor: pictures a second", "speed:regressor"),
    "loader": GpuCheck("loading of the regressor's pictures: whether it keeps up", "speed:loader"),
}


@dataclass(frozen=True)
class Outcome:
    """How a check ended. ``reason``: why not, "" when ok."""

    name: str
    status: Status
    seconds: float
    reason: str = ""
    measures: Measures = field(default_factory=dict)

    @property
    def proven(self) -> bool:
        """Whether nothing is left to prove here."""
        return self.status == "ok" or (self.status == "absent" and CHECKS[self.name].optional)


def perform(name: str, context: CheckContext) -> Outcome:
    """Runs one check in this process; whatever it raises is its outcome."""
    module, function = CHECKS[name].function.split(":")
    began_s = time.monotonic()

    def ended(status: Status, reason: str = "", measures: Measures | None = None) -> Outcome:
        return Outcome(name, status, round(time.monotonic() - began_s, 2), reason, measures or {})

    try:
        check: Any = getattr(importlib.import_module(f"trainer.gpu.{module}"), function)
        return ended("ok", measures=check(context))
    except AbsentError as error:
        return ended("absent", str(error))
    except ModuleNotFoundError as error:
        return ended("absent", f"the package {error.name} is not installed")
    except CheckFailedError as error:
        return ended("failed", str(error))
    except Exception as error:  # noqa: BLE001 - libraries of GPUs fail in many ways, and each is the answer here
        return ended("failed", f"{type(error).__name__}: {' '.join(str(error).split())[:500]}")
