"""A camera of PipeWire: a node of class ``Video/Source`` that programs read pictures from."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import numpy as np

from engine.errors import DeviceError
from engine.resource import Resource
from engine.values import Picture
from vcam.pipewire import library, spa

PROPERTIES = {
    "media.class": "Video/Source",
    "media.type": "Video",
    "media.role": "Camera",  # the desktop portal hands out nodes of this role
    "node.name": "hifihead-cam",
}


class CameraStream(Resource):
    """The node ``name``, of YUY2 pictures of ``size`` (width, height; the width even) at ``fps``, until ``close``.

    Belongs to one thread; PipeWire's own threads report to it. Raises DeviceError where there is no PipeWire.
    """

    def __init__(self, name: str, size: tuple[int, int], fps: int) -> None:
        self.name, self._size = name, size
        self.failure = ""  # why the node is gone, as PipeWire says it; "" while it is there
        self.streaming = False  # whether a program takes pictures
        self._pw = library.load()
        self._events = library.StreamEvents(
            library.STREAM_EVENTS_VERSION,
            state_changed=library.StateChanged(self._state_changed),
            param_changed=library.ParameterChanged(self._parameter_changed),
        )
        self._stream: int | None = None
        with ExitStack() as opened:
            self._loop = self._open_loop(opened)
            with self._locked():
                self._open_stream(spa.yuy2_format(size, fps), opened)
            self._closing = opened.pop_all()

    def send(self, write: Callable[[Picture], object]) -> None:
        """Lets ``write`` fill the next picture, (height, width, 2) YUY2, and sends it; does nothing while nobody takes pictures
        or all buffers are being read. Raises DeviceError when the node is gone."""
        if self.failure:
            raise DeviceError(f"The PipeWire camera {self.name} is gone ({self.failure}).")
        with self._locked():
            buffer = self._pw.pw_stream_dequeue_buffer(self._stream) if self.streaming else None
            if not buffer:
                return
            block = buffer.contents.buffer.contents.datas[0]
            width, height = self._size
            stride_bytes = 2 * width
            picture_bytes = stride_bytes * height if block.data and block.maxsize >= stride_bytes * height else 0
            if picture_bytes:
                memory = (ctypes.c_uint8 * picture_bytes).from_address(block.data)
                write(np.ctypeslib.as_array(memory).reshape(height, width, 2))
            chunk = block.chunk.contents
            chunk.offset, chunk.size, chunk.stride, chunk.flags = 0, picture_bytes, stride_bytes, 0
            self._pw.pw_stream_queue_buffer(self._stream, buffer)
            self._pw.pw_stream_trigger_process(self._stream)

    def close(self) -> None:
        self.streaming, self.failure = False, self.failure or "closed"
        self._closing.close()

    def _open_loop(self, opened: ExitStack) -> int:
        """PipeWire's loop on a thread of its own."""
        pw = self._pw
        loop: int | None = pw.pw_thread_loop_new(b"pipewire", None)
        if not loop:
            raise DeviceError("PipeWire cannot be started.")
        opened.callback(pw.pw_thread_loop_destroy, loop)
        if pw.pw_thread_loop_start(loop) < 0:
            raise DeviceError("PipeWire cannot be started.")
        opened.callback(pw.pw_thread_loop_stop, loop)
        return loop

    def _open_stream(self, offered: bytes, opened: ExitStack) -> None:
        pw, name = self._pw, self.name.encode()
        properties = pw.pw_properties_new_string(b"")
        for key, value in {**PROPERTIES, "node.description": self.name, "node.nick": self.name}.items():
            pw.pw_properties_set(properties, key.encode(), value.encode())
        stream = pw.pw_stream_new_simple(pw.pw_thread_loop_get_loop(self._loop), name, properties, self._events, None)
        if not stream:
            raise DeviceError(
                "PipeWire is not set up: its client.conf is missing; on Debian: sudo apt install libpipewire-0.3-common."
            )
        self._stream = stream
        opened.callback(self._destroy)
        flags = library.MAP_BUFFERS | library.DRIVER
        error = pw.pw_stream_connect(stream, library.OUTPUT, library.ANY_ID, flags, *parameters(offered))
        if error < 0:
            raise DeviceError(f"There is no PipeWire session ({os.strerror(-error)}).")

    def _destroy(self) -> None:
        """Takes the node away."""
        stream, self._stream = self._stream, None
        with self._locked():
            self._pw.pw_stream_destroy(stream)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Within, PipeWire's thread waits."""
        self._pw.pw_thread_loop_lock(self._loop)
        try:
            yield
        finally:
            self._pw.pw_thread_loop_unlock(self._loop)

    # called by PipeWire's thread

    def _state_changed(self, _data: int, _before: int, state: int, error: bytes | None) -> None:
        self.streaming = state == library.STREAMING
        if state in (library.ERROR, library.UNCONNECTED):
            self.failure = error.decode(errors="replace") if error else "the session has ended"

    def _parameter_changed(self, _data: int, number: int, value: int | None) -> None:
        """Answers a format that was agreed upon by the buffers for it."""
        if number == spa.FORMAT and value and self._stream:
            self._pw.pw_stream_update_params(self._stream, *parameters(spa.yuy2_buffers(self._size)))


def parameters(*pods: bytes) -> tuple[ctypes.Array[ctypes.c_void_p], int]:
    """Parameters as PipeWire takes them: an array of pointers to them, and how many there are. It copies them."""
    copies = [ctypes.create_string_buffer(pod, len(pod)) for pod in pods]
    pointers = (ctypes.c_void_p * len(pods))(*(ctypes.addressof(copy) for copy in copies))
    pointers.copies = copies  # type: ignore[attr-defined]  # as long as the pointers live
    return pointers, len(pods)
