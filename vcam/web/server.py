"""Serving the web application on 127.0.0.1, on a thread."""

from __future__ import annotations

import socket
import threading

import uvicorn
from starlette.applications import Starlette

from engine.errors import DeviceError
from engine.resource import Resource

CLOSE_S = 2.0


def listen(port: int) -> socket.socket:
    """A socket on 127.0.0.1; 0 = any free port. Raises DeviceError when the port is taken."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        listener.close()
        raise DeviceError(
            f"The preview page cannot use port {port} ({error.strerror}); set preview.port to another one, or to 0 for any."
        ) from error
    listener.listen(16)
    return listener


class WebServer(Resource):
    """Serves ``app`` on ``listener``, which it closes, from now on until ``close``."""

    def __init__(self, app: Starlette, listener: socket.socket) -> None:
        config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([listener],), name="web")
        self._thread.start()

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join(CLOSE_S)
