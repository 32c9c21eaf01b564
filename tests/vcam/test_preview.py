"""The preview page: shows what was sent to whoever knows the address, and nothing to anybody else."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest

from engine.errors import DeviceError, InputError
from tests.fakes import FakeBuilder, FakeClock, Said, flat
from vcam.config import PreviewSettings, Settings
from vcam.messages import Messages
from vcam.sinks import preview
from vcam.sinks.preview import PreviewPage, open_sink
from vcam.snapshot import Snapshot
from vcam.web.address import keep_address, read_address


@pytest.fixture
def pressed() -> list[bool]:
    """One entry per press of the page's button."""
    return []


@dataclass
class FakeControl:
    """A session as the page knows it."""

    pressed: list[bool]
    refusal: str = ""
    looked: list[tuple[float, float]] = field(default_factory=list)
    shown: list[Path] = field(default_factory=list)
    ended: bool = False

    def snapshot(self) -> Snapshot:
        return Snapshot("driving", fps=25.0)

    def set_avatar(self, photo: Path) -> None:
        if self.refusal:
            raise InputError(self.refusal)
        self.shown.append(photo)

    def end(self) -> None:
        self.ended = True

    def recalibrate(self) -> None:
        if self.refusal:
            raise InputError(self.refusal)
        self.pressed.append(True)

    def look(self, x: float, y: float) -> None:
        self.looked.append((x, y))

    def finish_gaze(self) -> None:
        raise InputError("Your eyes did not follow the dots.")


@pytest.fixture
def page(pressed: list[bool]) -> Iterator[PreviewPage]:
    page = PreviewPage(0, 90, FakeControl(pressed))
    yield page
    page.close()


def read_pictures(page: PreviewPage, count: int) -> list[np.ndarray]:
    """The first ``count`` pictures of the stream; sends a new, brighter one after each."""
    pictures: list[np.ndarray] = []
    data = b""
    with httpx.stream("GET", page.address + "stream.mjpg", timeout=5) as response:
        assert response.headers["content-type"] == "multipart/x-mixed-replace; boundary=frame"
        for chunk in response.iter_bytes():
            data += chunk
            while b"\r\n\r\n" in data:
                head, _, rest = data.partition(b"\r\n\r\n")
                length = int(head.rpartition(b"Content-Length: ")[2])
                if len(rest) < length + 2:
                    break
                pictures.append(cv2.imdecode(np.frombuffer(rest[:length], np.uint8), cv2.IMREAD_COLOR)[..., ::-1])
                data = rest[length + 2 :]
                page.send(flat((10, 20, 40 + 40 * len(pictures)), 320, 180))
            if len(pictures) >= count:
                return pictures[:count]
    return pictures


def test_the_page_the_stream_and_the_state(page: PreviewPage) -> None:
    answer = httpx.get(page.address)
    assert answer.status_code == 200
    assert 'src="stream.mjpg"' in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert httpx.get(page.address + "state.json").json()["state"] == "driving"
    page.send(flat((10, 20, 40), 320, 180))
    pictures = read_pictures(page, 4)
    assert [int(picture[90, 160, 2]) for picture in pictures] == pytest.approx([40, 80, 120, 160], abs=4)
    assert pictures[0].shape == (180, 320, 3)


def test_a_still_picture_reaches_a_late_viewer(page: PreviewPage) -> None:
    page.send(flat((200, 20, 40), 320, 180))
    assert len(read_pictures(page, 1)) == 1
    assert len(read_pictures(page, 1)) == 1


@pytest.mark.parametrize("place", ["", "stream.mjpg", "state.json"])
def test_a_wrong_token_or_host_gets_404(page: PreviewPage, place: str) -> None:
    base = f"http://127.0.0.1:{page.port}"
    for address in [f"{base}/", f"{base}/wrong/{place}", page.address[:-2] + "/" + place]:
        assert httpx.get(address).status_code == 404
    for host in ["evil.example", f"evil.example:{page.port}", "127.0.0.1", "127.0.0.1:1"]:
        assert httpx.get(page.address + place, headers={"host": host}).status_code == 404


def test_the_dots_of_the_gaze_reach_the_session() -> None:
    control = FakeControl([])
    page = PreviewPage(0, 90, control)
    try:
        own = {"origin": f"http://127.0.0.1:{page.port}"}
        assert httpx.post(page.address + "gaze/look?x=-0.25&y=0.5", headers=own).status_code == 204
        assert control.looked == [(-0.25, 0.5)]
        assert httpx.get(page.address + "gaze/look?x=0&y=0").status_code == 404
        for wrong in ("gaze/look", "gaze/look?x=1", "gaze/look?x=a&y=0"):
            assert httpx.post(page.address + wrong, headers=own).status_code == 409
        refused = httpx.post(page.address + "gaze/finish", headers=own)
        assert (refused.status_code, refused.text) == (409, "Your eyes did not follow the dots.")
    finally:
        page.close()


def test_programs_of_this_machine_change_the_avatar_and_end_the_camera(tmp_path: Path) -> None:
    control, photo = FakeControl([]), tmp_path / "Ä & b.jpg"
    with PreviewPage(0, 90, control) as page:
        assert httpx.post(page.address + "avatar", params={"photo": str(photo)}).status_code == 204
        assert httpx.post(page.address + "avatar").status_code == 409
        assert httpx.get(page.address + "end").status_code == 404
        assert httpx.post(page.address + "end", headers={"origin": "https://evil.example"}).status_code == 404
        assert (control.shown, control.ended) == ([photo], False)
        assert httpx.post(page.address + "end").status_code == 204
        assert control.ended
        control.refusal = "There is no face."
        refused = httpx.post(page.address + "avatar", params={"photo": "x.jpg"})
        assert (refused.status_code, refused.text) == (409, "There is no face.")


def test_the_button_recalibrates(page: PreviewPage, pressed: list[bool]) -> None:
    assert 'command("recalibrate",' in httpx.get(page.address).text
    own = {"origin": f"http://127.0.0.1:{page.port}"}
    assert httpx.post(page.address + "recalibrate", headers=own).status_code == 204
    assert httpx.post(page.address + "recalibrate").status_code == 204  # a program of this machine that knows the address
    assert len(pressed) == 2


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
def test_other_pages_cannot_press_the_button(page: PreviewPage, pressed: list[bool], origin: str) -> None:
    assert httpx.post(page.address + "recalibrate", headers={"origin": origin}).status_code == 404
    assert httpx.get(page.address + "recalibrate").status_code == 404
    assert httpx.post(page.address[:-2] + "/recalibrate").status_code == 404
    assert httpx.post(page.address + "recalibrate", headers={"host": "evil.example"}).status_code == 404
    assert pressed == []


class PreviewBuilder(FakeBuilder):
    """Settings for the page alone; ``said`` is what the user is told."""

    def __init__(self, *, fixed: bool) -> None:
        self.said, clock = Said(), FakeClock()
        super().__init__(Settings(preview=PreviewSettings(fixed_address=fixed)), messages=Messages(self.said, clock), clock=clock)

    def page(self) -> PreviewPage:
        return open_sink(self, FakeControl([]), "", required=True)


def test_an_address_is_kept_on_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "hifihead" / "preview-address"
    monkeypatch.setattr(preview, "address_file", lambda: file)
    with PreviewBuilder(fixed=False).page() as page:
        fleeting = page.address
    assert not file.exists()
    with PreviewBuilder(fixed=True).page() as page:
        fixed = page.address
        assert file.stat().st_mode & 0o077 == 0 or os.name != "posix"
    assert fixed != fleeting
    builder = PreviewBuilder(fixed=True)
    with builder.page() as page:
        assert page.address == fixed
        assert httpx.get(fixed).status_code == 200
        other = PreviewBuilder(fixed=True)
        with other.page() as second:  # the port is taken
            assert second.address != fixed
            assert "is taken: the preview has another address this time." in other.said.text
    with PreviewBuilder(fixed=True).page() as page:
        assert page.address == fixed


@pytest.mark.parametrize(
    "text", ["", "nonsense", "99999 abcdefghijklmnopqrstuv\n", "80 short\n", "80 /../../../../../etc/passwd\n"]
)
def test_a_kept_address_that_is_none_is_replaced(text: str, tmp_path: Path) -> None:
    file = tmp_path / "preview-address"
    file.write_text(text)
    first, second = read_address(file), read_address(file)
    assert first.port == 0
    assert len(first.token) >= 20
    assert first != second
    keep_address(file, replace(first, port=8080))
    assert read_address(file) == replace(first, port=8080)


def test_tokens_are_long_and_never_the_same(page: PreviewPage) -> None:
    other = PreviewPage(0, 90, FakeControl([]))
    try:
        tokens = [address.address.split("/")[3] for address in (page, other)]
        assert len(set(tokens)) == 2
        assert min(map(len, tokens)) >= 20
    finally:
        other.close()


def test_it_listens_on_this_machine_only(page: PreviewPage) -> None:
    assert page.address.startswith("http://127.0.0.1:")
    addresses = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)} - {"127.0.0.1"}
    for address in addresses:
        if not address.startswith("127."):
            with pytest.raises(ConnectionError), socket.create_connection((address, page.port), 1):
                pass


def test_a_taken_port_is_told(page: PreviewPage) -> None:
    with pytest.raises(DeviceError, match=rf"port {page.port}.*preview\.port"):
        PreviewPage(page.port, 90, FakeControl([]))


def test_it_closes_while_somebody_looks() -> None:
    page = PreviewPage(0, 90, FakeControl([]))
    page.send(flat((1, 2, 3), 320, 180))
    with httpx.stream("GET", page.address + "stream.mjpg", timeout=5) as response:
        next(response.iter_bytes())
        page.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "web"]


def test_a_command_that_cannot_be_carried_out_says_why() -> None:
    page = PreviewPage(0, 90, FakeControl([], "There is nobody to calibrate to."))
    try:
        answer = httpx.post(page.address + "recalibrate")
        assert (answer.status_code, answer.text) == (409, "There is nobody to calibrate to.")
        assert "answer.text()" in httpx.get(page.address).text
    finally:
        page.close()


def test_the_quality_changes_while_it_runs(page: PreviewPage) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (180, 320, 3)).astype(np.uint8)
    sizes = []
    for quality in (90, 30):
        page.configure(Settings(preview=PreviewSettings(jpeg_quality=quality)))
        page.send(noise.copy())
        with httpx.stream("GET", page.address + "stream.mjpg", timeout=5) as response:
            head = next(response.iter_bytes()).partition(b"\r\n\r\n")[0]
            sizes.append(int(head.rpartition(b"Content-Length: ")[2]))
    assert sizes[1] < 0.6 * sizes[0]
