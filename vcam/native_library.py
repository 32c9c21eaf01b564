"""Libraries of the system that have no binding for Python, called through ctypes."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from typing import Any

from engine.errors import DeviceError

Functions = Mapping[str, tuple[Any, tuple[Any, ...]]]
"""{name of a function: (type of its result, types of its arguments)}"""


def open_library(name: str, functions: Functions, absent: str) -> ctypes.CDLL:
    """The library with its functions declared; raises DeviceError with the sentence ``absent`` where there is none."""
    try:
        library = ctypes.CDLL(name)
    except OSError as error:
        raise DeviceError(absent) from error
    for function_name, (result, arguments) in functions.items():
        function = getattr(library, function_name)
        function.restype, function.argtypes = result, arguments
    return library
