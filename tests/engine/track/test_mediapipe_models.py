"""mediapipe as installed: it cannot reach the network, brings no matplotlib and no PortAudio, and finds people as before."""

from __future__ import annotations

import _socket
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import mediapipe
import numpy as np
import pytest
from packaging.version import Version

from engine.picture import read_picture
from engine.track import person_matte
from tests.engine.conftest import HOPPER, MONA_LISA
from tests.engine.track.elf import imported_functions

MATTES = Path(__file__).with_name("matte_of_0_10_21.npz")  # every eighth pixel of the two photographs' mattes · 65535
PHOTOGRAPHS = {"mona": MONA_LISA, "hopper": HOPPER}
STEP = 8
EQUAL = 1 / 4096
NETWORK = {"socket", "connect", "getaddrinfo", "gethostbyname", "send", "sendto", "sendmsg", "recv", "recvfrom", "recvmsg"}
IMPORTS = """
import sys
import engine.track
assert "mediapipe" in sys.modules
print(*[name for name in sys.modules if name.partition(".")[0] in ("matplotlib", "sounddevice", "_sounddevice")])
"""


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_the_matte_is_that_of_the_release_whose_model_it_is(name: str) -> None:
    photo = read_picture(PHOTOGRAPHS[name])
    matte = person_matte(photo)
    assert matte.shape == photo.shape[:2]
    assert matte.dtype == np.float32
    assert 0 <= matte.min() < matte.max() <= 1
    with np.load(MATTES) as stored:
        wanted = stored[name].astype(np.float32) / 65535
    assert np.abs(matte[::STEP, ::STEP] - wanted).max() < EQUAL


def test_mediapipe_is_older_than_the_first_release_that_opens_connections() -> None:
    assert Version(metadata.version("mediapipe")) < Version("0.10.35")


@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux' format of libraries")
def test_its_library_takes_no_network_function_from_the_system() -> None:
    imported = imported_functions(Path(mediapipe.__file__).parent / "tasks" / "c" / "libmediapipe.so")
    assert {"malloc", "pthread_create"} & imported
    assert imported & NETWORK == set()


@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux' format of libraries")
def test_in_a_library_that_uses_the_network_such_functions_are_found() -> None:
    assert {"socket", "connect", "getaddrinfo"} <= imported_functions(Path(_socket.__file__))


def test_tracking_brings_neither_matplotlib_nor_portaudio_along() -> None:
    answer = subprocess.run([sys.executable, "-c", IMPORTS], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == []
