"""The web application: page, stream of pictures, state, commands.

Every address has a random token; every other address, and every request under another host name (a web page that points its own
name at this machine), gets 404.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from engine.errors import HifiHeadError, InputError
from vcam.snapshot import Snapshot
from vcam.web.mjpeg import MjpegStream
from vcam.web.page import PAGE

HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; img-src 'self' data:; connect-src 'self'; "
    "style-src 'unsafe-inline'; script-src 'unsafe-inline'",
}
STREAM_TYPE = "multipart/x-mixed-replace; boundary=frame"


class Control(Protocol):
    """What the page needs of a session."""

    def snapshot(self) -> Snapshot: ...

    def set_avatar(self, photo: Path) -> None: ...

    def recalibrate(self) -> None: ...

    def end(self) -> None: ...

    def play(self, number: int) -> None: ...

    def look(self, x: float, y: float) -> None: ...

    def finish_gaze(self) -> None: ...


def create_app(control: Control, stream: MjpegStream, token: str, port: int) -> Starlette:
    """The application that answers under /``token``/ on 127.0.0.1:``port``."""
    hosts = (f"127.0.0.1:{port}", f"localhost:{port}")
    origins = [f"http://{host}" for host in hosts]

    def allowed(request: Request) -> bool:
        given = str(request.path_params["token"]).encode()
        return request.headers.get("host") in hosts and secrets.compare_digest(given, token.encode())

    def get(path: str, answer: Callable[[], Response]) -> Route:
        async def guarded(request: Request) -> Response:
            return answer() if allowed(request) else not_found()

        return Route(f"/{{token}}/{path}", guarded)

    def command(path: str, action: Callable[[Mapping[str, str]], None]) -> Route:
        """What changes something is asked for by POST, and by this page only."""

        async def guarded(request: Request) -> Response:
            ours = request.method == "POST" and request.headers.get("origin", origins[0]) in origins
            return await carried_out(lambda: action(request.query_params)) if ours and allowed(request) else not_found()

        return Route(f"/{{token}}/{path}", guarded, methods=["GET", "POST"])

    return Starlette(
        routes=[
            get("", lambda: HTMLResponse(PAGE, headers=HEADERS)),
            get("stream.mjpg", lambda: StreamingResponse(stream.parts(), media_type=STREAM_TYPE, headers=HEADERS)),
            get("state.json", lambda: JSONResponse(asdict(control.snapshot()), headers=HEADERS)),
            command("avatar", lambda query: control.set_avatar(Path(text(query, "photo")))),
            command("recalibrate", lambda _: control.recalibrate()),
            command("end", lambda _: control.end()),
            command("play", lambda query: control.play(int(number(query, "number")))),
            command("gaze/look", lambda query: control.look(number(query, "x"), number(query, "y"))),
            command("gaze/finish", lambda _: control.finish_gaze()),
        ]
    )


def text(query: Mapping[str, str], name: str) -> str:
    """A text of the address; raises InputError."""
    if not query.get(name):
        raise InputError(f"The address must have a {name}.")
    return query[name]


def number(query: Mapping[str, str], name: str) -> float:
    """A number of the address; raises InputError."""
    try:
        value = float(query[name])
    except (KeyError, ValueError) as error:
        raise InputError(f"The address must have a number {name}.") from error
    if not math.isfinite(value):
        raise InputError(f"The address must have a finite number {name}.")
    return value


async def carried_out(action: Callable[[], None]) -> Response:
    """204, or 409 with the sentence that says why not."""
    work: Awaitable[None] = run_in_threadpool(action)
    try:
        await work
    except HifiHeadError as error:
        return Response(str(error), 409, HEADERS, "text/plain")
    return Response(status_code=204, headers=HEADERS)


def not_found() -> Response:
    return Response("Not Found", 404, HEADERS, "text/plain")
