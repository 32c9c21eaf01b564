"""obs-websocket 5: JSON over a WebSocket, one answer to each request. Source: obsproject/obs-websocket, its protocol.md.

```
OBS: Hello ── we: Identify, with an answer to OBS's challenge ── OBS: Identified ── we: Request ── OBS: RequestResponse …
```
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

HELLO, IDENTIFY, IDENTIFIED, REQUEST, RESPONSE = 0, 1, 2, 6, 7  # "op" of the messages
AUTHENTICATION_FAILED, UNSUPPORTED_VERSION = 4009, 4010  # codes with which OBS closes
NOT_READY = 207  # code of a request's answer: OBS is starting or ending
RPC_VERSION = 1
NO_EVENTS = 0
OPEN_S, ANSWER_S, CLOSE_S = 1.5, 3.0, 0.5
SLICE_S = 0.25  # waiting looks so often whether it is still wanted
LARGEST_BYTES = 4 << 20  # of an answer: the lists of a large collection of scenes


class ObsGoneError(Exception):
    """There is no connection, or none any more."""


class ObsRefusalError(ObsGoneError):
    """There is none, and will be none unless the user changes something."""


class ObsRequestError(Exception):
    """A request that OBS, or what is found there, does not allow; the connection stands."""


WRONG_PASSWORD = "OBS refuses the password; it is shown there under Tools → WebSocket Server Settings → Show Connect Info."  # noqa: S105
NO_PASSWORD = (
    "OBS wants a password, and plugins.obs has none; it is shown there under Tools → WebSocket Server Settings → "  # noqa: S105
    "Show Connect Info."
)
ANOTHER_PROTOCOL = "What answers does not speak obs-websocket 5: OBS 28 or newer is needed, its WebSocket server, and its port."


@contextmanager
def connected(address: str, password: str, wanted: Callable[[], bool]) -> Iterator[ObsConnection]:
    """A connection to the OBS at "HOST:PORT", within which OBS knows us. Raises ObsGoneError, also when the connection
    breaks within.

    ``wanted`` is asked while an answer is waited for; when it says no, that ends.
    """
    try:
        with opened(address) as socket:
            obs = ObsConnection(socket, wanted)
            obs.identify(password)
            yield obs
    except ConnectionClosed as error:
        raise closed(error, address) from error
    except (KeyError, TypeError) as error:  # something is missing in an answer
        raise ObsRefusalError(ANOTHER_PROTOCOL) from error
    except ObsRequestError as error:
        raise ObsRefusalError(str(error)) from error


def opened(address: str) -> ClientConnection:
    """A WebSocket to the server there. Raises ObsGoneError."""
    try:
        return connect(
            f"ws://{address}",
            subprotocols=[Subprotocol("obswebsocket.json")],
            compression=None,
            proxy=None,  # that of the environment would see what stays on this machine
            open_timeout=OPEN_S,
            close_timeout=CLOSE_S,
            max_size=LARGEST_BYTES,
        )
    except (InvalidHandshake, AssertionError) as error:  # the latter where a server speaks before it is asked
        raise ObsRefusalError(ANOTHER_PROTOCOL) from error
    except OSError as error:  # TimeoutError is one, too
        raise absent(address) from error


class ObsConnection:
    """``identify`` once, then ``request``. Both raise ObsGoneError and ConnectionClosed."""

    def __init__(self, socket: ClientConnection, wanted: Callable[[], bool]) -> None:
        self._socket, self._wanted, self._number = socket, wanted, 0
        self.version = ""

    def identify(self, password: str) -> None:
        """Makes us known to OBS."""
        hello = self._received(HELLO)
        message: dict[str, Any] = {"rpcVersion": RPC_VERSION, "eventSubscriptions": NO_EVENTS}
        if challenge := hello.get("authentication"):
            if not password:
                raise ObsRefusalError(NO_PASSWORD)
            message["authentication"] = authentication(password, str(challenge["salt"]), str(challenge["challenge"]))
        self._send(IDENTIFY, message)
        self._received(IDENTIFIED)
        self.version = str(self.request("GetVersion").get("obsVersion", ""))

    def request(self, kind: str, **data: Any) -> dict[str, Any]:
        """The answer to a request; raises ObsRequestError when OBS refuses it."""
        self._number += 1
        self._send(REQUEST, {"requestType": kind, "requestId": str(self._number), "requestData": data})
        while (answer := self._received(RESPONSE)).get("requestId") != str(self._number):
            pass
        status = answer.get("requestStatus") or {}
        if status.get("code") == NOT_READY:
            raise ObsGoneError("OBS is not ready yet: it is waited for.")
        if status.get("result") is not True:
            raise ObsRequestError(f"OBS refuses {kind}: {str(status.get('comment') or status.get('code'))[:200]}")
        return dict(answer.get("responseData") or {})

    def look(self) -> None:
        """Notices that OBS has gone."""
        with suppress(TimeoutError):
            self._socket.recv(timeout=0)

    def _send(self, operation: int, data: dict[str, Any]) -> None:
        self._socket.send(json.dumps({"op": operation, "d": data}))

    def _received(self, operation: int) -> dict[str, Any]:
        """The data of the next message of that kind; others are skipped."""
        for _ in range(round(ANSWER_S / SLICE_S)):
            try:
                found, data = parsed(self._socket.recv(timeout=SLICE_S))
            except TimeoutError:
                if not self._wanted():
                    raise ObsGoneError("The end was asked for.") from None
                continue
            if found == operation:
                return data
        raise ObsRefusalError(ANOTHER_PROTOCOL)


def authentication(password: str, salt: str, challenge: str) -> str:
    """What shows that we know the password, without showing the password."""
    return hashed(hashed(password + salt) + challenge)


def hashed(text: str) -> str:
    """SHA-256, in base64."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def parsed(text: str | bytes) -> tuple[int, dict[str, Any]]:
    """Kind and data of a message; raises ObsGoneError for what is none."""
    try:
        message = json.loads(text)
        operation, data = message["op"], message["d"]
    except (ValueError, RecursionError, KeyError, TypeError) as error:
        raise ObsRefusalError(ANOTHER_PROTOCOL) from error
    if not isinstance(operation, int) or not isinstance(data, dict):
        raise ObsRefusalError(ANOTHER_PROTOCOL)
    return operation, data


def closed(error: ConnectionClosed, address: str) -> ObsGoneError:
    """Why OBS closed the connection."""
    code = error.rcvd.code if error.rcvd else None
    if code == AUTHENTICATION_FAILED:
        return ObsRefusalError(WRONG_PASSWORD)
    return ObsRefusalError(ANOTHER_PROTOCOL) if code == UNSUPPORTED_VERSION else absent(address)


def absent(address: str) -> ObsGoneError:
    return ObsGoneError(
        f"OBS is not there, at {address}, and is waited for. Its server is switched on under Tools → WebSocket Server Settings."
    )
