"""libpulse through ctypes: those of its functions and structures that a microphone, a player and a virtual microphone need.

Declarations: <pulse/context.h>, <pulse/introspect.h>, <pulse/mainloop.h>, <pulse/stream.h>; fields after those named here are
left out. PulseAudio and PipeWire (pipewire-pulse) are both reached through it.
"""

from __future__ import annotations

import ctypes
import functools
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_int, c_size_t, c_uint8, c_uint32, c_uint64, c_void_p

from vcam.native_library import open_library

LIBRARY = "libpulse.so.0"
NO_AUTOSPAWN = 1  # enum pa_context_flags
CONTEXT_READY, CONTEXT_FAILED, CONTEXT_TERMINATED = 4, 5, 6  # enum pa_context_state
STREAM_READY, STREAM_FAILED, STREAM_TERMINATED = 2, 3, 4  # enum pa_stream_state
OPERATION_RUNNING = 0  # enum pa_operation_state
INTERPOLATE_TIMING, AUTO_TIMING_UPDATE, DONT_MOVE, ADJUST_LATENCY = 0x2, 0x8, 0x200, 0x2000  # enum pa_stream_flags
FLOAT32 = 5  # enum pa_sample_format: PA_SAMPLE_FLOAT32LE
NONE = 0xFFFFFFFF  # PA_INVALID_INDEX; of a buffer's measures: as the daemon likes
CHANNELS_MAX = 32


class SampleSpec(Structure):
    """struct pa_sample_spec"""

    _fields_ = (("format", c_int), ("rate", c_uint32), ("channels", c_uint8))


class BufferAttributes(Structure):
    """struct pa_buffer_attr [bytes]"""

    _fields_ = (
        ("maxlength", c_uint32),
        ("tlength", c_uint32),
        ("prebuf", c_uint32),
        ("minreq", c_uint32),
        ("fragsize", c_uint32),
    )


class ChannelMap(Structure):
    """struct pa_channel_map"""

    _fields_ = (("channels", c_uint8), ("map", c_int * CHANNELS_MAX))


class Volume(Structure):
    """struct pa_cvolume"""

    _fields_ = (("channels", c_uint8), ("values", c_uint32 * CHANNELS_MAX))


class SourceInfo(Structure):
    """struct pa_source_info"""

    _fields_ = (
        ("name", c_char_p),
        ("index", c_uint32),
        ("description", c_char_p),
        ("sample_spec", SampleSpec),
        ("channel_map", ChannelMap),
        ("owner_module", c_uint32),
        ("volume", Volume),
        ("mute", c_int),
        ("monitor_of_sink", c_uint32),
    )


class ModuleInfo(Structure):
    """struct pa_module_info"""

    _fields_ = (("index", c_uint32), ("name", c_char_p), ("argument", c_char_p))


class ServerInfo(Structure):
    """struct pa_server_info"""

    _fields_ = (
        ("user_name", c_char_p),
        ("host_name", c_char_p),
        ("server_version", c_char_p),
        ("server_name", c_char_p),
        ("sample_spec", SampleSpec),
        ("default_sink_name", c_char_p),
        ("default_source_name", c_char_p),
    )


IndexTold = CFUNCTYPE(None, c_void_p, c_uint32, c_void_p)
SuccessTold = CFUNCTYPE(None, c_void_p, c_int, c_void_p)
SourceTold = CFUNCTYPE(None, c_void_p, POINTER(SourceInfo), c_int, c_void_p)
ModuleTold = CFUNCTYPE(None, c_void_p, POINTER(ModuleInfo), c_int, c_void_p)
ServerTold = CFUNCTYPE(None, c_void_p, POINTER(ServerInfo), c_void_p)

FUNCTIONS = {
    "pa_mainloop_new": (c_void_p, ()),
    "pa_mainloop_free": (None, (c_void_p,)),
    "pa_mainloop_get_api": (c_void_p, (c_void_p,)),
    "pa_mainloop_prepare": (c_int, (c_void_p, c_int)),
    "pa_mainloop_poll": (c_int, (c_void_p,)),
    "pa_mainloop_dispatch": (c_int, (c_void_p,)),
    "pa_context_new": (c_void_p, (c_void_p, c_char_p)),
    "pa_context_connect": (c_int, (c_void_p, c_char_p, c_int, c_void_p)),
    "pa_context_disconnect": (None, (c_void_p,)),
    "pa_context_unref": (None, (c_void_p,)),
    "pa_context_get_state": (c_int, (c_void_p,)),
    "pa_context_errno": (c_int, (c_void_p,)),
    "pa_context_load_module": (c_void_p, (c_void_p, c_char_p, c_char_p, IndexTold, c_void_p)),
    "pa_context_unload_module": (c_void_p, (c_void_p, c_uint32, SuccessTold, c_void_p)),
    "pa_context_get_module_info_list": (c_void_p, (c_void_p, ModuleTold, c_void_p)),
    "pa_context_get_source_info_list": (c_void_p, (c_void_p, SourceTold, c_void_p)),
    "pa_context_get_server_info": (c_void_p, (c_void_p, ServerTold, c_void_p)),
    "pa_operation_get_state": (c_int, (c_void_p,)),
    "pa_operation_unref": (None, (c_void_p,)),
    "pa_strerror": (c_char_p, (c_int,)),
    "pa_stream_new": (c_void_p, (c_void_p, c_char_p, POINTER(SampleSpec), c_void_p)),
    "pa_stream_connect_record": (c_int, (c_void_p, c_char_p, POINTER(BufferAttributes), c_int)),
    "pa_stream_connect_playback": (c_int, (c_void_p, c_char_p, POINTER(BufferAttributes), c_int, c_void_p, c_void_p)),
    "pa_stream_disconnect": (c_int, (c_void_p,)),
    "pa_stream_unref": (None, (c_void_p,)),
    "pa_stream_get_state": (c_int, (c_void_p,)),
    "pa_stream_peek": (c_int, (c_void_p, POINTER(c_void_p), POINTER(c_size_t))),
    "pa_stream_drop": (c_int, (c_void_p,)),
    "pa_stream_writable_size": (c_size_t, (c_void_p,)),
    "pa_stream_write": (c_int, (c_void_p, c_void_p, c_size_t, c_void_p, ctypes.c_int64, c_int)),
    "pa_stream_set_buffer_attr": (c_void_p, (c_void_p, POINTER(BufferAttributes), c_void_p, c_void_p)),
    "pa_stream_get_latency": (c_int, (c_void_p, POINTER(c_uint64), POINTER(c_int))),
}


@functools.cache
def load() -> ctypes.CDLL:
    """The library with its functions declared. Raises DeviceError where there is none."""
    absent = f"The library {LIBRARY} is missing; on Debian and Ubuntu: sudo apt install libpulse0."
    return open_library(LIBRARY, FUNCTIONS, absent)
