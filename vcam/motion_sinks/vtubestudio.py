"""What the avatar shows, into VTube Studio on this machine, as its plug-in; on a thread of its own."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from engine.errors import InputError
from engine.files import write_private
from engine.process import user_folder
from engine.resource import Resource
from vcam.messages import Messages
from vcam.motion import Observation
from vcam.pipeline.slot import Slot
from vcam.protocols import vtubestudio_plugin as protocol
from vcam.protocols.face import PacketError, StreamedFace

if TYPE_CHECKING:
    from vcam.build import Builder

TOKEN_FILE = "vtubestudio-token"  # noqa: S105 — its name
AGAIN_S = 3.0  # between attempts to connect
ANSWER_S, ALLOW_S = 3.0, 60.0  # for an answer, and for the user to allow the plug-in
REPEAT_S = 0.5  # VTube Studio forgets parameters after a second
PERIOD_S = 1 / 60


def open_motion_sink(builder: Builder, argument: str) -> VTubeStudioSink:
    """``argument``: another port. Raises InputError."""
    if argument and not (argument.isdecimal() and 0 < int(argument) < 65536):
        raise InputError(f"VTube Studio's plug-in interface has a port from 1 to 65535, got {argument!r}.")
    return VTubeStudioSink(int(argument or protocol.PORT), user_folder("data") / TOKEN_FILE, builder.messages)


class VTubeStudioSink(Resource):
    """Connects whenever VTube Studio is there; the newest face counts."""

    def __init__(self, port: int, token_path: Path, messages: Messages) -> None:
        """``token_path`` keeps what VTube Studio's user has allowed."""
        self.name = f"VTube Studio at port {port}"
        self._port, self._token_path, self._messages = port, token_path, messages
        self._faces: Slot[StreamedFace] = Slot()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="vtubestudio")
        self._thread.start()

    def send(self, observation: Observation | None, shown: StreamedFace) -> None:
        del observation
        self._faces.put(shown)

    def close(self) -> None:
        self._stop.set()
        self._faces.close()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with connect(
                    f"ws://127.0.0.1:{self._port}",
                    proxy=None,  # that of the environment would get what stays on this machine
                    open_timeout=ANSWER_S,
                    close_timeout=0.5,
                    max_size=protocol.LARGEST_BYTES,
                ) as connection:
                    self._log_in(connection)
                    self._inject(connection)
            except (OSError, TimeoutError, WebSocketException, PacketError, InputError) as error:
                if not self._stop.is_set():
                    self._messages.say_rarely("vtubestudio", f"{self.name} takes no motion: {error}. It is tried again.")
            self._stop.wait(AGAIN_S)

    def _log_in(self, connection: ClientConnection) -> None:
        """Shows the token that is kept, or asks for a new one. Raises PacketError when it is refused."""
        token = self._token_path.read_text(encoding="utf-8") if self._token_path.is_file() else ""
        if token and self._is_accepted(connection, token):
            return
        self._messages.say("VTube Studio asks whether HifiHead Cam may control it: allow it there.")
        kind, data = self._asked(connection, protocol.token_request(), ALLOW_S)
        token = str(data.get("authenticationToken", ""))
        if kind != "AuthenticationTokenResponse" or not token or not self._is_accepted(connection, token):
            raise PacketError("it was not allowed there")
        write_private(self._token_path, token)

    def _is_accepted(self, connection: ClientConnection, token: str) -> bool:
        return self._asked(connection, protocol.authentication(token))[1].get("authenticated") is True

    def _inject(self, connection: ClientConnection) -> None:
        """Until the end."""
        face: StreamedFace | None = None
        while not self._stop.is_set():
            face = self._faces.take(REPEAT_S) or face
            if face is not None and not self._stop.is_set():
                kind, data = self._asked(connection, protocol.injection(face))
                if kind == "APIError":
                    raise PacketError(str(data.get("message", "it refuses the parameters"))[:200])
                self._stop.wait(PERIOD_S)

    def _asked(self, connection: ClientConnection, request: str, timeout_s: float = ANSWER_S) -> tuple[str, dict[str, object]]:
        """Sends a request; the answer to it. Waits in short steps, so that ``close`` is not waited for."""
        connection.send(request)
        for _ in range(max(1, round(timeout_s / 0.25))):
            try:
                return protocol.answer(connection.recv(timeout=0.25))
            except TimeoutError:
                if self._stop.is_set():
                    break
        raise PacketError("it does not answer")
