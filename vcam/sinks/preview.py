"""The preview page as a sink: a local web page that shows what is sent. It listens on 127.0.0.1 only."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from engine.resource import Resource
from engine.values import Picture
from vcam.config import Settings
from vcam.web.app import Control, create_app
from vcam.web.mjpeg import MjpegStream
from vcam.web.server import WebServer, listen

if TYPE_CHECKING:
    from vcam.build import Builder


def open_sink(builder: Builder, session: Control, argument: str, *, required: bool) -> PreviewPage:
    """The page, its address told to the user; raises DeviceError when the port is taken."""
    del argument, required
    preview = builder.settings.preview
    page = PreviewPage(preview.port, preview.jpeg_quality, session)
    builder.messages.say(f"Preview: {page.address}")
    return page


class PreviewPage(Resource):
    """``address`` opens in a browser."""

    placeholders = True

    def __init__(self, port: int, jpeg_quality: int, control: Control) -> None:
        listener = listen(port)
        token = secrets.token_urlsafe(16)
        self.port = int(listener.getsockname()[1])
        self.address = f"http://127.0.0.1:{self.port}/{token}/"
        self.name = "preview"
        self._stream = MjpegStream(jpeg_quality)
        self._server = WebServer(create_app(control, self._stream, token, self.port), listener)

    def configure(self, settings: Settings) -> None:
        """Takes up the quality of the pictures."""
        self._stream.jpeg_quality = settings.preview.jpeg_quality

    def send(self, picture: Picture) -> None:
        """Shows a picture; it must not be changed afterwards."""
        self._stream.send(picture)

    def watched(self) -> bool:
        return self._stream.viewers > 0

    def close(self) -> None:
        self._stream.close()
        self._server.close()
