"""OBS as obs-websocket 5 shows it: scenes with sources, texts, and a password."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

SALT, CHALLENGE = "c2FsdA==", "Y2hhbGxlbmdl"


def scenes() -> dict[str, dict[str, bool]]:
    return {"Live": {"Camera": True, "State": True}, "Away": {"Clock": True}}


@dataclass
class FakeObs:
    """What OBS holds. ``scenes``: {scene or group: {source: visible}}.

    not_ready   so many requests are refused because OBS is still starting
    greeting    what is sent instead of Hello
    identified  how often a client has made itself known
    seen        the changes that were asked for, in order
    """

    password: str = ""
    scenes: dict[str, dict[str, bool]] = field(default_factory=scenes)
    groups: dict[str, dict[str, bool]] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=lambda: {"State": ""})
    scene: str = "Live"
    not_ready: int = 0
    greeting: Any = None
    identified: int = 0
    port: int = 0
    seen: list[Any] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @contextmanager
    def running(self) -> Iterator[FakeObs]:
        """OBS runs within; a second time at the same port."""
        with serve(self.serve, "127.0.0.1", self.port, subprotocols=["obswebsocket.json"]) as server:  # type: ignore[list-item]
            self.port = server.socket.getsockname()[1]
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            connections = self._connections = []  # type: list[ServerConnection]
            try:
                yield self
            finally:
                server.shutdown()
                for connection in connections:
                    connection.close()
                thread.join()

    def serve(self, connection: ServerConnection) -> None:
        self._connections.append(connection)
        try:
            self._greet(connection)
            for text in connection:
                request = json.loads(text)["d"]
                connection.send(json.dumps({"op": 5, "d": {"eventType": "Noise", "eventIntent": 1}}))
                connection.send(json.dumps({"op": 7, "d": self._answer(request)}))
        except ConnectionClosed:
            pass

    def _greet(self, connection: ServerConnection) -> None:
        if self.greeting is not None:
            connection.send(self.greeting)
            return
        hello: dict[str, Any] = {"obsWebSocketVersion": "5.1.0", "rpcVersion": 1}
        if self.password:
            hello["authentication"] = {"challenge": CHALLENGE, "salt": SALT}
        connection.send(json.dumps({"op": 0, "d": hello}))
        identify = json.loads(connection.recv())
        assert identify["op"] == 1
        if identify["d"]["rpcVersion"] != 1:
            connection.close(4010)
        if self.password and identify["d"].get("authentication") != right_answer(self.password):
            connection.close(4009, "Authentication failed.")
        connection.send(json.dumps({"op": 2, "d": {"negotiatedRpcVersion": 1}}))
        self.identified += 1

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        kind, data = request["requestType"], request["requestData"]
        answer = {"requestType": kind, "requestId": request["requestId"]}
        if self.not_ready:
            self.not_ready -= 1
            return {**answer, "requestStatus": {"result": False, "code": 207}}
        try:
            return {**answer, "requestStatus": {"result": True, "code": 100}, "responseData": self._done(kind, data)}
        except KeyError as error:
            return {**answer, "requestStatus": {"result": False, "code": 600, "comment": f"No {error}."}}

    def _done(self, kind: str, data: dict[str, Any]) -> dict[str, Any]:
        everywhere = {**self.scenes, **self.groups}
        if kind == "GetVersion":
            return {"obsVersion": "30.0.0"}
        if kind == "GetSceneList":
            return {"currentProgramSceneName": self.scene, "scenes": [{"sceneName": name} for name in self.scenes]}
        if kind == "GetGroupList":
            return {"groups": list(self.groups)}
        if kind in ("GetSceneItemList", "GetGroupSceneItemList"):
            items = everywhere[data["sceneName"]].items()
            return {
                "sceneItems": [
                    {"sceneItemId": number, "sourceName": name, "sceneItemEnabled": visible}
                    for number, (name, visible) in enumerate(items)
                ]
            }
        if kind == "GetInputList":
            kinds = {"Camera": "ffmpeg_source", "Clock": "image_source", **dict.fromkeys(self.texts, "text_ft2_source_v2")}
            return {"inputs": [{"inputName": name, "inputKind": kind} for name, kind in kinds.items()]}
        self.seen.append((kind, data))
        if kind == "SetCurrentProgramScene":
            self.scene = data["sceneName"]
        elif kind == "SetInputSettings":
            self.texts[data["inputName"]] = data["inputSettings"]["text"]
        elif kind == "SetSceneItemEnabled":
            items_of = everywhere[data["sceneName"]]
            items_of[list(items_of)[data["sceneItemId"]]] = data["sceneItemEnabled"]
        return {}


def right_answer(password: str) -> str:
    """Written out as obs-websocket's documentation describes it."""
    secret = base64.b64encode(hashlib.sha256((password + SALT).encode()).digest())
    return base64.b64encode(hashlib.sha256(secret + CHALLENGE.encode()).digest()).decode()
