"""A webcam through OpenCV, on a thread of its own: absent, busy or unplugged only means that no frame comes until it is back."""

from __future__ import annotations

import os
import platform
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from engine.errors import DeviceError
from engine.resource import Resource
from engine.video import Frame
from vcam import v4l2
from vcam.interfaces import Clock
from vcam.messages import Messages
from vcam.pipeline.slot import Slot
from vcam.stats import Stats

APIS = {"Linux": cv2.CAP_V4L2, "Windows": cv2.CAP_DSHOW, "Darwin": cv2.CAP_AVFOUNDATION}
REST_STEP_S = 60.0  # waking ends it
MISSES_UNTIL_LOST = 3  # failed reads in a row after which the camera counts as unplugged


@dataclass(frozen=True)
class WebcamFormat:
    """What is asked of the camera; it may deliver something else."""

    width_px: int = 640
    height_px: int = 480
    fps: int = 30


NO_WEBCAM = (
    "There is no webcam: the avatar idles until one is plugged in. To see it move: --camera recording, or --camera with a video."
)

FindCamera = Callable[[], int | None]
"""The number of the camera to open now; None while there is none."""

OpenDevice = Callable[[int, WebcamFormat], Any]
"""Opens camera N as something with OpenCV's read() and release(); raises DeviceError."""


def open_device(number: int, wanted: WebcamFormat) -> cv2.VideoCapture:
    """Camera N by the system's own interface; raises DeviceError that says why not."""
    refuse_unusable(number)
    device = cv2.VideoCapture(number, APIS.get(platform.system(), cv2.CAP_ANY))
    if not device.isOpened():
        raise DeviceError(absent_sentence(number))
    device.set(cv2.CAP_PROP_FRAME_WIDTH, wanted.width_px)
    device.set(cv2.CAP_PROP_FRAME_HEIGHT, wanted.height_px)
    device.set(cv2.CAP_PROP_FPS, wanted.fps)
    device.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    return device


def refuse_unusable(number: int) -> None:
    """Linux can tell absent and forbidden apart before OpenCV tries."""
    if platform.system() != "Linux":
        return
    path = Path(f"/dev/video{number}")
    if not path.exists():
        raise DeviceError(absent_sentence(number))
    if not os.access(path, os.R_OK | os.W_OK):
        raise DeviceError(f"No permission for camera {number} ({path}); run: sudo usermod -aG video $USER, and log in again.")


def absent_sentence(number: int) -> str:
    return f"There is no camera {number}, or it is in use by another program; 'hifihead devices' lists the cameras."


def usable_cameras(own_name: str) -> list[int]:
    """Numbers of the devices that can deliver pictures, without our own virtual camera; Linux asks the system, others try 0."""
    if platform.system() == "Linux":
        return [device.number for device in v4l2.devices() if device.capture and device.name != own_name]
    probe = cv2.VideoCapture(0, APIS.get(platform.system(), cv2.CAP_ANY))
    found = probe.isOpened()
    probe.release()
    return [0] if found else []


class Webcam(Resource):
    """``take`` hands out the newest frame. Faults are told through ``messages`` and retried every ``retry_s``."""

    def __init__(
        self,
        find: FindCamera,
        wanted: WebcamFormat,
        *,
        clock: Clock,
        messages: Messages,
        stats: Stats,
        retry_s: float,
        open_with: OpenDevice = open_device,
    ) -> None:
        self._find, self._wanted, self._retry_s = find, wanted, retry_s
        self._number: int | None = None  # of the camera that was opened last
        self._clock, self._messages, self._stats, self._open = clock, messages, stats, open_with
        self._slot: Slot[Frame] = Slot()
        self._stop = threading.Event()
        self._resting = False
        self._woken = threading.Event()  # there is something to do before the present wait is over
        self._thread: threading.Thread | None = None
        self._device: Any = None
        self._misses = 0
        self._lost = False
        self._delivered: int | None = None  # of the camera that delivered last
        self._absent = False  # no camera is found, and that was said

    def start(self) -> None:
        """Begins to capture on a thread."""
        self._thread = threading.Thread(target=self._capture, name="webcam")
        self._thread.start()

    def take(self, timeout_s: float) -> Frame | None:
        return self._slot.take(timeout_s)

    def rest(self) -> None:
        """Gives the webcam back after the frame at hand: its light goes off."""
        self._resting = True

    def wake(self) -> None:
        self._resting = False
        self._woken.set()

    def close(self) -> None:
        self._stop.set()
        self._woken.set()
        self._slot.close()
        if self._thread is not None:
            self._thread.join(timeout=3.0)

    def _capture(self) -> None:
        while not self._stop.is_set():
            wait_s = self.step()
            if wait_s > 0:
                self._woken.wait(wait_s)
                self._woken.clear()
        self._release()

    def step(self) -> float:
        """Opens the camera when it is not open, else reads one frame. Returns how long to wait before the next step [s]."""
        if self._resting:
            self._release()
            self._slot.take(0)  # a frame from before the rest must not be seen after it
            return REST_STEP_S
        if self._device is None:
            self._device = self._messages.attempt("camera", "Opening the camera", self._open_found)
            self._lost |= self._device is None
            return 0.0 if self._device is not None else self._retry_s
        frame = self._messages.attempt("camera", "Reading the camera", lambda: self._read(self._device))
        if frame is None:
            return self._missed()
        self._deliver(frame)
        return 0.0

    def _read(self, device: Any) -> Frame | None:
        """The next frame; None when there is none. Raises DeviceError for what is no picture."""
        ok, image = device.read()
        if not ok or image is None:
            return None
        captured_s = self._clock.now()
        if image.dtype != np.uint8 or image.ndim not in (2, 3):
            raise DeviceError(f"Camera {self._number} gives no pictures of 8 bits, but {image.dtype} {image.shape}.")
        with self._stats.measure("capture"):
            rgb = cv2.cvtColor(image, cv2.COLOR_GRAY2RGB if image.ndim == 2 else cv2.COLOR_BGR2RGB)
        return Frame(np.asarray(rgb, np.uint8), captured_s)

    def _open_found(self) -> Any:
        """The camera that there is now; None when there is none, which is said when it is new. Raises DeviceError."""
        number = self._find()
        if number is None:
            if not self._absent:
                self._messages.say(NO_WEBCAM)
            self._absent = True
            return None
        device = self._open(number, self._wanted)
        self._number, self._absent = number, False
        return device

    def _deliver(self, frame: Frame) -> None:
        if self._lost:
            self._messages.say(f"Camera {self._number} is {'back' if self._number == self._delivered else 'there'}.")
        self._lost, self._misses, self._delivered = False, 0, self._number
        self._slot.put(frame)

    def _missed(self) -> float:
        self._misses += 1
        if self._misses < MISSES_UNTIL_LOST:
            return 0.05
        self._messages.say_rarely(
            "camera", f"Camera {self._number} gives no pictures (unplugged, or in use elsewhere); trying again."
        )
        self._lost, self._misses = True, 0
        self._release()
        return self._retry_s

    def _release(self) -> None:
        device, self._device = self._device, None
        if device is not None:
            self._messages.attempt("camera", "Closing the camera", device.release)
