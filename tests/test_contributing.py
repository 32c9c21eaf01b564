"""The recipes of CONTRIBUTING.md for a sink and for a motion source, run as they stand there."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pytest

from engine.errors import ConfigError, InputError
from tests.fakes import FakeAnimator, FakeBuilder, Said, flat
from vcam import sinks, sources
from vcam.clock import SystemClock
from vcam.config_file import parse_settings
from vcam.doctor.camera_checks import other_source
from vcam.messages import Messages
from vcam.session import Session
from vcam.sinks import SINKS, SinkKind
from vcam.sources import SOURCES, SourceKind

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
DRAWN = 10  # pictures for which a session runs


def recipe(heading: str) -> tuple[str, str]:
    """The module and the entry of the section with that heading."""
    section = GUIDE.split(f"### {heading}\n")[1].split("\n### ")[0]
    module, entry = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    return module, entry.strip()


@contextmanager
def following(heading: str, folder: Path, package: ModuleType, registry: dict[str, Any], kind: type) -> Iterator[None]:
    """Within, the recipe has been followed: its module lies in ``package``, its entry in ``registry``."""
    module, entry = recipe(heading)
    added: dict[str, Any] = eval(f"{{{entry}}}", {kind.__name__: kind})  # noqa: S307 — our own text
    ((name, registered),) = added.items()
    (folder / f"{registered.module.rsplit('.', 1)[1]}.py").write_text(module, encoding="utf-8")
    with ExitStack() as undoing:
        package.__path__.append(str(folder))
        undoing.callback(package.__path__.remove, str(folder))
        registry[name] = registered
        undoing.callback(registry.pop, name)
        undoing.callback(sys.modules.pop, registered.module, None)
        yield


@pytest.fixture
def recipes(tmp_path: Path) -> Iterator[None]:
    """Both were followed."""
    with (
        following("A sink", tmp_path, sinks, SINKS, SinkKind),
        following("A motion source", tmp_path, sources, SOURCES, SourceKind),
    ):
        yield


@pytest.mark.usefixtures("recipes")
def test_the_source_moves_the_avatar_and_the_sink_gets_its_pictures(tmp_path: Path) -> None:
    photo, out = tmp_path / "red.jpg", tmp_path / "pictures.rgb"
    cv2.imwrite(str(photo), flat((30, 30, 200)))
    text = f'[camera]\nsource = "sway:10"\n[output]\nsink = "raw:{out}"\nwidth_px = 160\nheight_px = 128'
    clock, animator, ended = SystemClock(), FakeAnimator(), threading.Event()
    builder = FakeBuilder(parse_settings(text, "config.toml"), clock=clock, messages=Messages(Said(), clock))
    builder.animator = animator
    with Session(builder, photo) as session:
        session.start()
        session.run(ended, check=lambda: ended.set() if session.drawn >= DRAWN else None)
        assert session.snapshot().source == "sway"
        assert session.snapshot().sinks == (str(out),)
        sent = session.sent
    yaw_deg = np.degrees([z.pose[1] for z in animator.drawn])
    assert np.ptp(yaw_deg) > 0
    assert np.abs(yaw_deg).max() <= 10
    pictures = np.frombuffer(out.read_bytes(), np.uint8).reshape(-1, 128, 160, 3)
    assert len(pictures) == sent
    assert pictures[-1, 64, 80].tolist() == [200, 30, 30]


@pytest.mark.usefixtures("recipes")
def test_settings_messages_and_the_doctor_follow() -> None:
    with pytest.raises(ConfigError, match="or raw:FILE, got 'raw'"):
        parse_settings('[output]\nsink = "raw"', "config.toml")
    with pytest.raises(InputError, match="or sway:DEGREES"):
        sources.resolve("nothing.mp4")
    assert other_source("sway:10").detail == "not wanted: camera.source is sway:10"


def test_what_is_no_longer_registered_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"output\.sink must be"):
        parse_settings('[output]\nsink = "raw:x"', "config.toml")
    with pytest.raises(InputError, match="no camera or video"):
        sources.resolve("sway:10")


def test_the_help_text_names_both() -> None:
    script = (
        "import sys\n"
        "from vcam.sinks import SINKS, SinkKind\n"
        "from vcam.sources import SOURCES, SourceKind\n"
        f"SINKS.update({{{recipe('A sink')[1]}}})\n"
        f"SOURCES.update({{{recipe('A motion source')[1]}}})\n"
        "from vcam.cli.app import run_command\n"
        "sys.exit(run_command(['run', '--help']))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    words = " ".join(re.sub(r"[│\n]", " ", done.stdout).split())
    assert "raw RGB pictures in a file" in words
    assert "a head that sways" in words
