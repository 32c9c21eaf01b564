"""The latest picture as a stream of JPEG pictures, for browsers and OBS. Compressed only while somebody looks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator

import cv2

from engine.resource import Resource
from engine.values import Picture

REPEAT_AFTER_S = 1.0  # a still picture is sent again so often, so that a new viewer sees it
POLL_S = 0.004


class MjpegStream(Resource):
    """``send`` from one thread, ``parts`` once per viewer."""

    def __init__(self, jpeg_quality: int) -> None:
        """``jpeg_quality``: 30…100; may be changed at any time."""
        self.jpeg_quality = jpeg_quality
        self.viewers = 0
        self._latest: tuple[int, Picture] | None = None
        self._encoded: tuple[int, bytes] = (0, b"")
        self._encode_lock = threading.Lock()
        self._closed = False

    def send(self, picture: Picture) -> None:
        """Shows a picture; it must not be changed afterwards."""
        number = self._latest[0] + 1 if self._latest else 1
        self._latest = (number, picture)

    def close(self) -> None:
        """Ends every viewer's stream."""
        self._closed = True

    async def parts(self) -> AsyncIterator[bytes]:
        """The body of a multipart/x-mixed-replace response, boundary "frame"; a slow viewer skips pictures and delays nobody."""
        shown, sent_s = 0, 0.0
        loop = asyncio.get_running_loop()
        self.viewers += 1
        try:
            while not self._closed:
                latest = self._latest
                due = latest is not None and (latest[0] != shown or loop.time() - sent_s > REPEAT_AFTER_S)
                if latest is None or not due:
                    await asyncio.sleep(POLL_S)
                    continue
                shown, sent_s = latest[0], loop.time()
                jpeg = await loop.run_in_executor(None, self._jpeg, *latest)
                yield b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n" % (len(jpeg), jpeg)
        finally:
            self.viewers -= 1

    def _jpeg(self, number: int, picture: Picture) -> bytes:
        """The picture as JPEG, compressed once for all viewers."""
        with self._encode_lock:
            if self._encoded[0] != number:
                bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
                done, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, self.jpeg_quality])
                self._encoded = (number, data.tobytes() if done else b"")
            return self._encoded[1]
