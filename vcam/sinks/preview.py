"""The preview page: a local web page that shows what is sent, and in which state the program is.

It listens on 127.0.0.1 only, at an address with a random token; every other address, and every request under another host name
(a web page that points its own name at this machine), gets 404. Pictures are compressed only while somebody looks.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import cv2
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from engine.errors import DeviceError
from engine.values import Picture
from vcam.sinks.page import PAGE

HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; img-src 'self' data:; connect-src 'self'; "
    "style-src 'unsafe-inline'; script-src 'unsafe-inline'",
}
REPEAT_AFTER_S = 1.0  # a still picture is sent again so often, so that a new viewer sees it


class PreviewPage:
    """``address`` opens in a browser. ``state`` returns what is shown beside the picture; its button calls ``recalibrate``."""

    def __init__(
        self, port: int, jpeg_quality: int, state: Callable[[], dict[str, Any]], recalibrate: Callable[[], None]
    ) -> None:
        self._token = secrets.token_urlsafe(16)
        self._quality, self._state, self._recalibrate = jpeg_quality, state, recalibrate
        self._latest: tuple[int, Picture] | None = None
        self._encoded: tuple[int, bytes] = (0, b"")
        self._encode_lock = threading.Lock()
        self._closing = False
        self._viewers = 0
        listener = listen(port)
        self.port = int(listener.getsockname()[1])
        self.address = f"http://127.0.0.1:{self.port}/{self._token}/"
        self.name = f"preview {self.address}"
        config = uvicorn.Config(self.app(), log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([listener],), name="preview", daemon=True)
        self._thread.start()

    def send(self, picture: Picture) -> None:
        """Shows a picture; it must not be changed afterwards."""
        number = self._latest[0] + 1 if self._latest else 1
        self._latest = (number, picture)

    def watched(self) -> bool:
        return self._viewers > 0

    def close(self) -> None:
        self._closing = True
        self._server.should_exit = True
        self._thread.join(timeout=3.0)

    def app(self) -> Starlette:
        """The web application: page, stream of pictures, state."""
        routes = [
            Route("/{token}/", self._guarded(self._page)),
            Route("/{token}/stream.mjpg", self._guarded(self._stream)),
            Route("/{token}/state.json", self._guarded(self._state_json)),
            Route("/{token}/recalibrate", self._guarded(self._recalibrated, post=True), methods=["GET", "POST"]),
        ]
        return Starlette(routes=routes)

    def _guarded(self, handler: Callable[[], Response], *, post: bool = False) -> Callable[[Request], Any]:
        """The handler behind the checks of token, host and method; what changes something is asked for by this page only."""

        async def guarded(request: Request) -> Response:
            hosts = (f"127.0.0.1:{self.port}", f"localhost:{self.port}")
            given = str(request.path_params["token"]).encode()
            allowed = request.headers.get("host") in hosts and secrets.compare_digest(given, self._token.encode())
            if post:
                origin = request.headers.get("origin", f"http://{hosts[0]}")
                allowed = allowed and request.method == "POST" and origin in [f"http://{host}" for host in hosts]
            return handler() if allowed else Response("Not Found", 404, HEADERS, "text/plain")

        return guarded

    def _page(self) -> Response:
        return HTMLResponse(PAGE, headers=HEADERS)

    def _state_json(self) -> Response:
        return JSONResponse(self._state(), headers=HEADERS)

    def _recalibrated(self) -> Response:
        self._recalibrate()
        return Response(status_code=204, headers=HEADERS)

    def _stream(self) -> Response:
        return StreamingResponse(self._pictures(), media_type="multipart/x-mixed-replace; boundary=frame", headers=HEADERS)

    async def _pictures(self) -> AsyncIterator[bytes]:
        """One part per picture; a slow viewer skips pictures and never delays anybody."""
        shown, sent_s = 0, 0.0
        loop = asyncio.get_running_loop()
        self._viewers += 1
        try:
            while not self._closing:
                latest = self._latest
                due = latest is not None and (latest[0] != shown or loop.time() - sent_s > REPEAT_AFTER_S)
                if latest is None or not due:
                    await asyncio.sleep(0.004)
                    continue
                shown, sent_s = latest[0], loop.time()
                jpeg = await loop.run_in_executor(None, self._jpeg, *latest)
                yield b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n" % (len(jpeg), jpeg)
        finally:
            self._viewers -= 1

    def _jpeg(self, number: int, picture: Picture) -> bytes:
        """The picture as JPEG, compressed once for all viewers."""
        with self._encode_lock:
            if self._encoded[0] != number:
                bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
                done, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, self._quality])
                self._encoded = (number, data.tobytes() if done else b"")
            return self._encoded[1]


def listen(port: int) -> socket.socket:
    """A socket on 127.0.0.1; raises DeviceError when the port is taken."""
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
