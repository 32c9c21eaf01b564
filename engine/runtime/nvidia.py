"""What NVIDIA's driver says of the first GPU, asked directly: costs nothing and needs no library where there is none."""

from __future__ import annotations

import ctypes
import sys
from dataclasses import dataclass

NAME_BYTES = 256


@dataclass(frozen=True)
class Gpu:
    """The first GPU.

    name    as its maker calls it
    driver  the newest CUDA that the driver can run, e.g. "13.0"
    """

    name: str
    driver: str


def first_gpu() -> Gpu | None:
    """The first NVIDIA GPU, or None without one or without its driver."""
    try:
        cuda = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return None
    count, version = ctypes.c_int(), ctypes.c_int()
    name = ctypes.create_string_buffer(NAME_BYTES)
    asked = (  # each answers 0 when all is well
        cuda.cuInit(0)
        or cuda.cuDeviceGetCount(ctypes.byref(count))
        or cuda.cuDriverGetVersion(ctypes.byref(version))
        or cuda.cuDeviceGetName(name, NAME_BYTES, 0)
    )
    if asked or not count.value:
        return None
    return Gpu(name.value.decode(errors="replace"), f"{version.value // 1000}.{version.value % 1000 // 10}")
