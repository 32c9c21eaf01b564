"""The preview page as a sink: a local web page that shows what is sent. It listens on 127.0.0.1 only."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import DeviceError
from engine.process import user_folder
from engine.resource import Resource
from engine.values import Picture
from vcam.config import Settings
from vcam.web.address import PageAddress, keep_address, new_address, read_address
from vcam.web.app import Control, create_app
from vcam.web.mjpeg import MjpegStream
from vcam.web.server import WebServer, listen

if TYPE_CHECKING:
    from vcam.build import Builder


def open_sink(builder: Builder, session: Control, argument: str, *, required: bool) -> PreviewPage:
    """The page, its address told to the user; raises DeviceError when the port is taken."""
    del argument, required
    preview, file = builder.settings.preview, address_file()
    wanted = read_address(file) if preview.fixed_address else new_address()
    page = PreviewPage(preview.port, preview.jpeg_quality, session, wanted)
    if preview.fixed_address and page.place != wanted:
        if wanted.port and not preview.port:
            builder.messages.say(f"Port {wanted.port} is taken: the preview has another address this time.")
        else:
            builder.messages.attempt("preview", "Keeping the address", lambda: keep_address(file, page.place))
    builder.messages.say(f"Preview: {page.address}")
    return page


def address_file() -> Path:
    """Where a fixed address is kept."""
    return user_folder("config") / "preview-address"


class PreviewPage(Resource):
    """``address`` opens in a browser; ``place`` is the same in parts."""

    placeholders = True

    def __init__(self, port: int, jpeg_quality: int, control: Control, wanted: PageAddress | None = None) -> None:
        """Listens on ``port``, 0 = the one of the ``wanted`` address if it is free, else any; raises DeviceError."""
        wanted = wanted or new_address()
        listener = listen(port) if port else listen_near(wanted.port)
        self.place = replace(wanted, port=int(listener.getsockname()[1]))
        self.address, self.port = str(self.place), self.place.port
        self.name = "preview"
        self._stream = MjpegStream(jpeg_quality)
        self._server = WebServer(create_app(control, self._stream, self.place.token, self.port), listener)

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


def listen_near(port: int) -> socket.socket:
    """A socket on that port of 127.0.0.1, or on any when it is taken."""
    try:
        return listen(port)
    except DeviceError:
        return listen(0)
