"""What the command prints and returns: one screen, JSON, and the table of engines."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import pytest

from engine.runtime.verification import Verification
from tests.vcam.doctor.systems import HEALTHY, spoiled, with_nodes
from vcam.cli.app import run_command
from vcam.cli.doctor import DoctorOptions, doctor
from vcam.doctor.checks import run_checks
from vcam.doctor.engine_report import environment_of, try_engines
from vcam.doctor.facts import GraphicsCard, SystemFacts
from vcam.doctor.findings import as_lines

WORST = replace(
    with_nodes(module_loaded=False, secure_boot=True),
    host=replace(HEALTHY.host, module_installed=False),
    python=replace(HEALTHY.python, broken=("mediapipe", "libGL.so.1: cannot open shared object file: No such file or directory")),
)


def diagnosed(system: SystemFacts, **options: bool) -> int:
    """Runs the command on a machine."""
    return doctor(DoctorOptions(**options), gather=lambda _config: system, try_one=one_engine)


def plain(line: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", line)


@pytest.mark.parametrize("system", [HEALTHY, WORST])
def test_it_is_one_as_lines(system: SystemFacts) -> None:
    lines = [plain(line) for line in as_lines(system, run_checks(system))]
    assert len(lines) <= 25
    assert not [line for line in lines if len(line) > 80]


def test_commands_are_whole_lines() -> None:
    lines = [plain(line).strip() for line in as_lines(WORST, run_checks(WORST))]
    assert "sudo apt install v4l2loopback-dkms" in lines
    assert """sudo modprobe v4l2loopback exclusive_caps=1 card_label='"HifiHead Cam"'""" in lines


def test_usable_or_not_is_the_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert diagnosed(HEALTHY) == 0
    said = capsys.readouterr().out
    assert "✔ webcam         USB Camera (/dev/video0)" in said
    assert said.splitlines()[-1] == "Ready: start `hifihead run`, then choose 'HifiHead Cam' in the meeting."
    assert diagnosed(WORST) == 1
    assert "3 things stand in the way" in capsys.readouterr().out


def test_json_is_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert diagnosed(WORST, as_json=True, loop=True) == 1
    result = json.loads(capsys.readouterr().out)
    assert (result["usable"], result["loop"]) == (False, None)
    assert result["log_file"] == "/home/me/hifihead.log"
    by_name = {finding["name"]: finding for finding in result["findings"]}
    assert by_name["virtual camera"]["state"] == "failed"
    assert by_name["virtual camera"]["fix"][0] == "sudo apt install v4l2loopback-dkms"
    assert by_name["loop"]["state"] == "absent"


def test_the_command_line_reaches_the_doctor(capsys: pytest.CaptureFixture[str]) -> None:
    code = run_command(["doctor", "--json"])
    assert code == (0 if json.loads(capsys.readouterr().out)["usable"] else 1)


def one_engine(_bundle: Path, name: str) -> Verification:
    good = Verification(name, ok=True, psnr_db=51.25, ms=4.56, build_s=80.0)
    return good if name == "tensorrt" else Verification(name, ok=False, reason=f"The engine '{name}' is not installed.")


def test_every_engine_is_tried_and_announced() -> None:
    announced: list[str] = []
    trials = try_engines(Path("bundle"), announced.append, one_engine)
    assert [trial.name for trial in trials] == announced
    assert "tensorrt" in announced


def test_the_table_is_fit_for_a_report(capsys: pytest.CaptureFixture[str]) -> None:
    machine = spoiled("machine", gpus=(GraphicsCard("NVIDIA H100", "550.54", 81559),), tensorrt="11.0")
    assert diagnosed(machine, gpu=True) == 0
    said = capsys.readouterr().out
    assert "NVIDIA H100, 81559 MB, driver 550.54" in said
    assert re.search(rf"libraries +.*numpy {re.escape(version('numpy'))}", said)
    assert "bundle sha256  1a2b3c4d5e6f" in said
    assert re.search(r"\| tensorrt +\| yes +\| 51\.2 \| 4\.6 \| 80\.0 ", said)
    assert "torch: The engine 'torch' is not installed." in said
    assert diagnosed(machine, gpu=True, as_json=True) == 0
    result = json.loads(capsys.readouterr().out)
    assert next(engine for engine in result["gpu"]["engines"] if engine["name"] == "tensorrt")["ms"] == 4.56


def test_without_a_card_the_report_says_so() -> None:
    assert environment_of(HEALTHY).gpu == "none"
    assert environment_of(replace(HEALTHY, program=None)).bundle_sha256 == ""
