"""libpipewire through ctypes: those of its functions and structures that a stream of pictures needs.

Declarations: <pipewire/stream.h>, <pipewire/thread-loop.h>, <spa/buffer/buffer.h>; fields after those named here are left out.
"""

from __future__ import annotations

import ctypes
import functools
import os
import socket
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_int, c_int32, c_int64, c_uint32, c_uint64, c_void_p
from pathlib import Path

from vcam.native_library import open_library

LIBRARY = "libpipewire-0.3.so.0"
STREAM_EVENTS_VERSION = 2
OUTPUT = 1  # enum spa_direction
ANY_ID = 0xFFFFFFFF
ERROR, UNCONNECTED, CONNECTING, PAUSED, STREAMING = range(-1, 4)  # enum pw_stream_state
MAP_BUFFERS, DRIVER = 1 << 2, 1 << 3  # enum pw_stream_flags

StateChanged = CFUNCTYPE(None, c_void_p, c_int, c_int, c_char_p)
ParameterChanged = CFUNCTYPE(None, c_void_p, c_uint32, c_void_p)


class StreamEvents(Structure):
    """struct pw_stream_events"""

    _fields_ = (
        ("version", c_uint32),
        ("destroy", c_void_p),
        ("state_changed", StateChanged),
        ("control_info", c_void_p),
        ("io_changed", c_void_p),
        ("param_changed", ParameterChanged),
        ("add_buffer", c_void_p),
        ("remove_buffer", c_void_p),
        ("process", c_void_p),
        ("drained", c_void_p),
        ("command", c_void_p),
        ("trigger_done", c_void_p),
    )


class Chunk(Structure):
    """struct spa_chunk: which part of a block is valid."""

    _fields_ = (("offset", c_uint32), ("size", c_uint32), ("stride", c_int32), ("flags", c_int32))


class Block(Structure):
    """struct spa_data"""

    _fields_ = (
        ("type", c_uint32),
        ("flags", c_uint32),
        ("fd", c_int64),
        ("mapoffset", c_uint32),
        ("maxsize", c_uint32),
        ("data", c_void_p),
        ("chunk", POINTER(Chunk)),
    )


class SpaBuffer(Structure):
    """struct spa_buffer"""

    _fields_ = (("n_metas", c_uint32), ("n_datas", c_uint32), ("metas", c_void_p), ("datas", POINTER(Block)))


class StreamBuffer(Structure):
    """struct pw_buffer"""

    _fields_ = (("buffer", POINTER(SpaBuffer)), ("user_data", c_void_p), ("size", c_uint64))


FUNCTIONS = {
    "pw_init": (None, (c_void_p, c_void_p)),
    "pw_log_set_level": (None, (c_int,)),
    "pw_thread_loop_new": (c_void_p, (c_char_p, c_void_p)),
    "pw_thread_loop_get_loop": (c_void_p, (c_void_p,)),
    "pw_thread_loop_start": (c_int, (c_void_p,)),
    "pw_thread_loop_stop": (None, (c_void_p,)),
    "pw_thread_loop_destroy": (None, (c_void_p,)),
    "pw_thread_loop_lock": (None, (c_void_p,)),
    "pw_thread_loop_unlock": (None, (c_void_p,)),
    "pw_properties_new_string": (c_void_p, (c_char_p,)),
    "pw_properties_set": (c_int, (c_void_p, c_char_p, c_char_p)),
    "pw_stream_new_simple": (c_void_p, (c_void_p, c_char_p, c_void_p, POINTER(StreamEvents), c_void_p)),
    "pw_stream_connect": (c_int, (c_void_p, c_int, c_uint32, c_int, POINTER(c_void_p), c_uint32)),
    "pw_stream_update_params": (c_int, (c_void_p, POINTER(c_void_p), c_uint32)),
    "pw_stream_dequeue_buffer": (POINTER(StreamBuffer), (c_void_p,)),
    "pw_stream_queue_buffer": (c_int, (c_void_p, POINTER(StreamBuffer))),
    "pw_stream_trigger_process": (c_int, (c_void_p,)),
    "pw_stream_destroy": (None, (c_void_p,)),
}


@functools.cache
def load() -> ctypes.CDLL:
    """The library with its functions declared, initialised. Raises DeviceError where there is none."""
    library = open_library(
        LIBRARY, FUNCTIONS, f"PipeWire's library {LIBRARY} is missing; on Debian: sudo apt install libpipewire-0.3-0."
    )
    library.pw_init(None, None)
    library.pw_log_set_level(0)  # what goes wrong is told by return values and states; nothing goes to standard error
    return library


def session_socket() -> Path | None:
    """Where PipeWire listens for this user's programs; None where no session has it. Raises nothing."""
    folder = os.environ.get("PIPEWIRE_RUNTIME_DIR") or os.environ.get("XDG_RUNTIME_DIR")
    path = Path(folder or "/", os.environ.get("PIPEWIRE_REMOTE", "pipewire-0"))
    if not folder or not hasattr(socket, "AF_UNIX"):
        return None
    try:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.connect(str(path))
    except OSError:
        return None
    return path
