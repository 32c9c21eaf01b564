"""Writes StyleGAN2 files of a tiny size in the two layouts, as the programs that they belong to would."""

from __future__ import annotations

import argparse
import pickle
import sys
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

W = 16  # width of w
WIDTHS = {4: 16, 8: 16, 16: 8}  # as the tiny paper variant's
MAPPING = 4
State = dict[str, Tensor]


class Persistent(nn.Module):
    """Pickles as NVlabs' persistent classes do: a call of their function with the class's source and the module's contents."""

    def __reduce__(self) -> tuple[Any, ...]:
        meta = {"type": "class", "version": 6, "module_src": "raise SystemExit", "class_name": "Net", "state": self.__dict__}
        return sys.modules["torch_utils.persistence"]._reconstruct_persistent_obj, (meta,), None


def tree(state: Mapping[str, Tensor]) -> Persistent:
    """Modules that hold these names; buffers where NVlabs has buffers."""
    root = Persistent()
    for name, value in state.items():
        *path, leaf = name.split(".")
        here: nn.Module = root
        for part in path:
            if part not in dict(here.named_children()):
                here.add_module(part, Persistent())
            here = here.get_submodule(part)
        if leaf in ("w_avg", "noise_const", "resample_filter"):
            here.register_buffer(leaf, value)
        else:
            here.register_parameter(leaf, nn.Parameter(value))
    return root


def nvlabs_state() -> State:
    torch.manual_seed(0)
    state = {"mapping.w_avg": torch.randn(W), "synthesis.b4.const": torch.randn(WIDTHS[4], 4, 4)}
    for number in range(MAPPING):
        state |= {f"mapping.fc{number}.weight": torch.randn(W, W), f"mapping.fc{number}.bias": torch.randn(W)}
    before = WIDTHS[4]
    for size, width in WIDTHS.items():
        for part, inputs, outputs, kernel in (("conv0", before, width, 3), ("conv1", width, width, 3), ("torgb", width, 3, 1)):
            if size > 4 or part != "conv0":
                name = f"synthesis.b{size}.{part}"
                state[f"{name}.weight"] = torch.randn(outputs, inputs, kernel, kernel)
                state[f"{name}.bias"] = torch.randn(outputs)
                state |= {f"{name}.affine.weight": torch.randn(inputs, W), f"{name}.affine.bias": torch.randn(inputs)}
                state |= {f"{name}.noise_const": torch.randn(size, size), f"{name}.noise_strength": torch.randn([])}
        before = width
    return state


def write_nvlabs(path: Path, extra: Mapping[str, Any] | None = None) -> State:
    """The .pkl; returns what is in it."""
    state = nvlabs_state()
    home = types.ModuleType("torch_utils.persistence")
    home._reconstruct_persistent_obj = reconstruct  # type: ignore[attr-defined]
    modules = {"torch_utils": types.ModuleType("torch_utils"), "torch_utils.persistence": home}
    sys.modules.update(modules)
    try:
        content = {
            "G": None,
            "G_ema": tree(state),
            "training_set_kwargs": {"path": "ffhq"},
            "snr": np.float32(1),
            **(extra or {}),
        }
        path.write_bytes(pickle.dumps(content))
    finally:
        for name in modules:
            del sys.modules[name]
    return state


def reconstruct(meta: Any) -> Any:
    raise AssertionError("the function of the file was called")


reconstruct.__module__, reconstruct.__qualname__ = "torch_utils.persistence", "_reconstruct_persistent_obj"


def write_rosinality(path: Path) -> State:
    """The .pt of the same network, as a checkpoint of its training; returns the NVlabs names of what is in it."""
    state = nvlabs_state()
    theirs: State = {"input.input": state["synthesis.b4.const"][None]}
    for number in range(MAPPING):
        for leaf in ("weight", "bias"):
            theirs[f"style.{number + 1}.{leaf}"] = state[f"mapping.fc{number}.{leaf}"]
    names = {"conv1": "synthesis.b4.conv1", "to_rgb1": "synthesis.b4.torgb"}
    for place, size in enumerate([size for size in WIDTHS if size > 4]):
        names |= {f"convs.{2 * place + k}": f"synthesis.b{size}.conv{k}" for k in (0, 1)}
        names[f"to_rgbs.{place}"] = f"synthesis.b{size}.torgb"
    for name, source in names.items():
        theirs[f"{name}.conv.weight"] = state[f"{source}.weight"][None]
        theirs |= {f"{name}.conv.modulation.{leaf}": state[f"{source}.affine.{leaf}"] for leaf in ("weight", "bias")}
        if "rgb" in name:
            theirs[f"{name}.bias"] = state[f"{source}.bias"].reshape(1, 3, 1, 1)
        else:
            theirs |= {f"{name}.activate.bias": state[f"{source}.bias"], f"{name}.noise.weight": torch.randn(1)}
    content = {"g_ema": theirs, "latent_avg": state["mapping.w_avg"], "args": argparse.Namespace(size=16)}
    torch.save(content, path)
    return state
