"""Reading NVlabs' network pickles without executing them.

Their pickles carry the source of the network's classes and would run it. Here a pickle builds tensors, arrays and containers;
every other global that it names becomes an inert placeholder, which keeps what it is given and does nothing with it.
"""

from __future__ import annotations

import io
import pickle
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.errors import InputError


class Inert:
    """Stands for an object of any other class: remembers its state; calls, items and attributes of the pickle end here."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self.state: Any = {}

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def __setitem__(self, key: Any, value: Any) -> None:
        pass

    def append(self, value: Any) -> None:
        """Does nothing."""

    def extend(self, values: Any) -> None:
        """Does nothing."""


def read_pickle(path: Path) -> Any:
    """What the file holds, placeholders in the place of everything but plain data. Raises InputError."""
    try:
        with path.open("rb") as file:
            return _Unpickler(file).load()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}): give StyleGAN2's weights") from error
    except Exception as error:
        raise InputError(f"{path} must be a pickle of NVlabs' stylegan2-ada-pytorch; it cannot be read: {error}") from error


def named_tensors(module: Any, prefix: str = "") -> Iterator[tuple[str, Tensor]]:
    """The parameters and buffers of a pickled torch module, as its ``state_dict`` would name them."""
    state = module.state if isinstance(module, Inert) else {}
    if not isinstance(state, Mapping):
        return
    for group in ("_parameters", "_buffers"):
        for name, value in _items(state.get(group)):
            if isinstance(value, Tensor):
                yield f"{prefix}{name}", value.detach()
    for name, child in _items(state.get("_modules")):
        yield from named_tensors(child, f"{prefix}{name}.")


def _items(group: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(group, Mapping):
        yield from group.items()


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str, /) -> Any:
        return _SAFE.get((module, name), Inert)


def _storage(content: bytes) -> Any:
    """The numbers of a tensor, which lie in the pickle as a torch file of its own."""
    return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)


def _tensor(storage: Any, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: Any) -> Tensor:
    flat = torch.empty(0, dtype=storage.dtype)
    return flat.set_(storage, offset, size, stride)


def _parameter(data: Tensor, *_: Any) -> Tensor:
    return data


def _persistent(meta: Mapping[str, Any]) -> Inert:
    """NVlabs' way of storing an object together with the source of its class; the source is left alone."""
    found = Inert()
    found.state = meta["state"]
    return found


# what numpy itself pickles arrays and numbers with: the same functions under the name of any of its releases
_RECONSTRUCT: Callable[..., Any] = np.zeros(0).__reduce__()[0]  # type: ignore[assignment]
_SCALAR: Callable[..., Any] = np.float64(0).__reduce__()[0]  # type: ignore[assignment]

_SAFE: dict[tuple[str, str], Callable[..., Any]] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("dnnlib.util", "EasyDict"): dict,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_parameter"): _parameter,
    ("torch.storage", "_load_from_bytes"): _storage,
    ("torch_utils.persistence", "_reconstruct_persistent_obj"): _persistent,
    ("numpy", "dtype"): np.dtype,
    ("numpy", "ndarray"): np.ndarray,
    **{(f"numpy.{core}.multiarray", "_reconstruct"): _RECONSTRUCT for core in ("core", "_core")},
    **{(f"numpy.{core}.multiarray", "scalar"): _SCALAR for core in ("core", "_core")},
}  # fmt: skip
