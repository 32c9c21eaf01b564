"""The link to OBS, on a thread of its own: it waits for OBS, and connects again when OBS was restarted."""

from __future__ import annotations

import threading
from collections.abc import Callable
from ipaddress import ip_address
from urllib.parse import urlsplit

from engine.errors import InputError
from plugins.obs import ObsSettings
from plugins.obs.display import ObsDisplay, Shown
from plugins.obs.presence import Presence, text_of
from plugins.obs.protocol import ObsConnection, ObsGoneError, ObsRefusalError, connected

AGAIN_S, REFUSED_AGAIN_S = 3.0, 30.0  # between attempts to connect; OBS shows its user each refusal
LOOK_EVERY_S = 0.25  # whether OBS is still there, and whether the face has been lost for long enough
STILL_RESTING = (
    "No program takes the camera's picture, so that the webcam is off and OBS stays as it is: let OBS's source go on while it "
    "is hidden, or set output.always_on = true."
)


def place_of(address: str, *, lan: bool) -> str:
    """HOST:PORT, checked. Raises InputError; so it does for another computer unless ``lan``."""
    try:
        parts = urlsplit(f"//{address}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or not port or parts.netloc != address or "@" in address:
        raise InputError(f"plugins.obs.address must be HOST:PORT, as in 127.0.0.1:4455, got {address!r}.")
    if host == "localhost":
        host = "127.0.0.1"
    if not lan and not is_loopback(host):
        raise InputError(f"plugins.obs.address is on another computer, got {address!r}; plugins.obs.lan = true allows that.")
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_loopback(host: str) -> bool:
    """Whether an address is of this computer; names are not looked up."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


class ObsLink:
    """``tell`` it the state; ``close`` it. The thread lives from one to the other."""

    def __init__(
        self, place: str, password: str, settings: ObsSettings, *, say: Callable[[str], None], now: Callable[[], float]
    ) -> None:
        """``place`` as of ``place_of``."""
        self._place, self._password, self._say, self._now = place, password, say, now
        self._display = ObsDisplay(settings, say)
        self._presence = Presence(settings.away_after_s)
        self._state = "starting"
        self._said = ""  # the last sentence about the connection
        self._changed, self._ended = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="obs")
        self._thread.start()

    def tell(self, state: str) -> None:
        """The camera's state, as of ``Snapshot``; may be called from any thread."""
        self._state = state
        self._changed.set()

    def close(self) -> None:
        """OBS's text says that the camera is off; scene and sources stay."""
        self._ended.set()
        self._changed.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.is_set():
            again_s = AGAIN_S
            try:
                with connected(self._place, self._password, lambda: not self._ended.is_set()) as obs:
                    self._say_once(f"Connected to OBS {obs.version}.")
                    self._serve(obs)
            except ObsGoneError as error:
                self._say_once(str(error))
                again_s = REFUSED_AGAIN_S if isinstance(error, ObsRefusalError) else AGAIN_S
            self._ended.wait(again_s)

    def _serve(self, obs: ObsConnection) -> None:
        """Shows the state until the end, or until OBS has gone, which raises ObsGoneError."""
        shown: Shown | None = None
        while not self._ended.is_set():
            self._changed.clear()
            wanted = self._wanted()
            self._display.show(obs, wanted, shown)
            shown = wanted
            if wanted.away and self._state == "resting":
                self._say_once(STILL_RESTING)
            obs.look()
            self._changed.wait(LOOK_EVERY_S)
        self._display.show(obs, Shown(text_of("ended"), None), shown)

    def _wanted(self) -> Shown:
        state, now_s = self._state, self._now()
        self._presence.update(state, now_s)
        return Shown(text_of(state), self._presence.away(now_s))

    def _say_once(self, sentence: str) -> None:
        if sentence != self._said and not self._ended.is_set():
            self._said = sentence
            self._say(sentence)
