"""Finding facts: what systems tell is understood, and what they do not tell is left empty."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from vcam import v4l2
from vcam.doctor.checks import run_checks
from vcam.doctor.facts import ProgramFacts
from vcam.doctor.probe_cameras import (
    RunTool,
    exclusive_caps,
    mac_cameras,
    node_facts,
    output_lines,
    run_tool,
    secure_boot,
    windows_drivers,
)
from vcam.doctor.probe_program import log_error, read_program
from vcam.doctor.probe_system import (
    first_broken,
    fits,
    folder,
    gather_facts,
    gpu_facts,
    packages_of,
    processor_facts,
    program_facts,
)
from vcam.processes import is_ours, running, users_of
from vcam.v4l2 import LOOPBACK_DRIVER, Device


def answering(stdout: str = "", stderr: str = "", status: int = 0) -> RunTool:
    return lambda command: subprocess.CompletedProcess(command, status, stdout, stderr)


def test_this_machine_is_looked_at_whatever_it_has() -> None:
    system = gather_facts()
    names = [found.name for found in run_checks(system)]
    assert names[0] == "Python"
    assert len(names) == len(set(names)) == 14
    assert system.python.fits
    assert system.machine.cpus >= 1


def test_without_the_programs_libraries_the_rest_is_still_found() -> None:
    def missing() -> Callable[[Path | None], ProgramFacts]:
        raise ImportError("No module named 'pydantic'")

    assert program_facts(None, missing) is None


def test_packages_are_held_against_their_pins() -> None:
    numpy, gone = packages_of(["numpy==0.1", "no-such-package>=2", "other; python_version < '3'", "x; extra == 'train'"])
    assert (numpy.name, numpy.wanted, numpy.fits) == ("numpy", "==0.1", False)
    assert (gone.installed, gone.fits) == (None, False)
    assert fits(">=3.10,<3.13", "3.11.7")
    assert not fits(">=3.10,<3.13", "3.13.0")


def test_the_first_package_that_cannot_be_loaded_is_named() -> None:
    assert first_broken(["numpy", "mediapipe"]) is None
    failing = answering("numpy\ncv2\n", "Traceback …\nImportError: libGL.so.1: cannot open\n", 1)
    assert first_broken(["numpy", "opencv-contrib-python"], failing) == (
        "opencv-contrib-python",
        "ImportError: libGL.so.1: cannot open",
    )
    assert first_broken(["mediapipe"], answering("engine.track\n", "", -4)) == (
        "mediapipe",
        "this processor lacks instructions that it uses",
    )
    assert first_broken(["numba"], answering("numba\n", "", -11)) == ("numba", "it crashed (signal 11)")
    assert first_broken(["numba"], lambda _command: None) is None


def test_asking_survives_programs_that_are_not_there() -> None:
    assert run_tool(["no-such-program-at-all"]) is None
    assert output_lines(run_tool([sys.executable, "-c", "print('a'); print(); print(' b ')"])) == ["a", "b"]
    assert output_lines(run_tool([sys.executable, "-c", "raise SystemExit(3)"])) is None


@pytest.mark.parametrize(
    ("answer", "gpus", "error"),
    [
        (answering("NVIDIA H100 80GB HBM3, 550.54.15, 81559\nTesla T4, 550.54.15, [N/A]\n"), [81559, 0], ""),
        (answering("Failed to initialize NVML: Driver/library version mismatch\n", "", 18), [], "Failed to initialize NVML"),
        (answering("", "", 9), [], "status 9"),
        (lambda _command: None, [], ""),
    ],
)
def test_graphics_cards(answer: RunTool, gpus: list[int], error: str) -> None:
    found, said = gpu_facts(answer)
    assert [gpu.memory_mb for gpu in found] == gpus
    assert said.startswith(error)
    assert bool(said) == bool(error)


def test_processors(tmp_path: Path) -> None:
    cpu_list = tmp_path / "cpuinfo"
    cpu_list.write_text("model name\t: Some CPU @ 3 GHz\nflags\t\t: fpu avx sse\n")
    assert processor_facts("Linux", "x86_64", cpu_list) == ("Some CPU @ 3 GHz", False)
    assert processor_facts("Darwin", "x86_64", cpu_list, answering("1\n")) == ("1", True)
    assert processor_facts("Darwin", "arm64", cpu_list, answering("Apple M3\n")) == ("Apple M3", None)


def test_a_folder_that_is_not_there_yet_is_judged_by_its_parent(tmp_path: Path) -> None:
    found = folder("caches", tmp_path / "a" / "b")
    assert found.writable
    assert found.free_mb is not None


def test_who_has_a_device_open(tmp_path: Path) -> None:
    device = Path("/dev/video9")
    programs = {
        12: ("zoom", ["zoom"], device),
        7: ("python", ["/x/hifihead", "run"], device),
        5: ("bash", ["bash"], Path("/dev/null")),
    }
    for number, (name, arguments, opened) in programs.items():
        process = tmp_path / str(number)
        (process / "fd").mkdir(parents=True)
        (process / "fd" / "3").symlink_to(opened)
        (process / "comm").write_text(f"{name}\n")
        (process / "cmdline").write_bytes("\0".join(arguments).encode())
    (tmp_path / "99").mkdir()  # one that we may not look into
    assert users_of(device, tmp_path) == (("python (7)", "zoom (12)"), True)
    assert users_of(Path("/dev/video1"), tmp_path) == ((), False)
    assert running(tmp_path)
    assert not running(tmp_path / "7")
    assert is_ours(["/usr/bin/python3", "-X", "dev", "-W", "error", "/x/hifihead", "run"])
    assert is_ours(["python", "-m", "vcam", "run", "--size", "512x512"])
    assert not is_ours(["python", "-m", "vcam", "doctor"])


def test_the_format_that_a_camera_keeps(tmp_path: Path) -> None:
    path = tmp_path / "video9"
    path.touch()
    device = Device(path, "HifiHead Cam", "ok", LOOPBACK_DRIVER, output=True)
    asked: list[tuple[int, bytes]] = []

    def keeping(width: int, height: int, fourcc: bytes) -> v4l2.Ioctl:
        def ioctl(_descriptor: int, request: int, argument: bytes) -> bytes:
            asked.append((request, argument))
            return v4l2.FORMAT.pack(2, width, height, int.from_bytes(fourcc, "little"))

        return ioctl

    assert v4l2.accepted_format(path, (1280, 720), b"YU12", keeping(640, 480, b"YUYV")) == (640, 480, b"YUYV")
    assert asked[0][0] == v4l2.TRY_FORMAT
    assert len(asked[0][1]) == 208
    assert struct.unpack_from("I4x3I", asked[0][1]) == (2, 1280, 720, 0x32315559)
    assert v4l2.kept_format(path, (1280, 720), ioctl=keeping(640, 480, b"YUYV")) == "640x480 YUYV"
    assert v4l2.kept_format(path, (1280, 720), ioctl=keeping(1280, 720, b"YU12")) == ""
    assert v4l2.kept_format(tmp_path / "gone", (1280, 720)) == ""
    probe = partial(node_facts, size=(1280, 720), kept_format=lambda *_: "640x480 YUYV", sends=lambda _path: True)
    assert probe(device, "HifiHead Cam").keeps == "640x480 YUYV"
    assert probe(device, "Other").keeps == ""
    taken = probe(replace(device, capture=True, output=False), "HifiHead Cam")
    assert (taken.sending, taken.keeps) == (True, "")


def test_exclusive_caps_are_read_from_the_module(tmp_path: Path) -> None:
    assert not exclusive_caps(tmp_path)
    (tmp_path / "parameters").mkdir()
    (tmp_path / "parameters" / "exclusive_caps").write_text("Y,N,N\n")
    assert exclusive_caps(tmp_path)


def test_other_systems_lists() -> None:
    report = "Camera:\n\n    FaceTime HD Camera:\n\n      Model ID: FaceTime HD Camera\n      Unique ID: 3F\n"
    assert mac_cameras(answering(report)) == ("FaceTime HD Camera",)
    assert mac_cameras(answering(status=1)) is None
    if sys.platform != "win32":
        assert windows_drivers() == ()


def test_secure_boot_is_read_from_the_firmware(tmp_path: Path) -> None:
    assert not secure_boot(tmp_path / "none")
    (tmp_path / "SecureBoot-8be4").write_bytes(bytes([6, 0, 0, 0, 1]))
    assert secure_boot(tmp_path)


def test_settings_portrait_and_port_are_judged_as_the_start_would(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[camera]\nfps = 900\n")
    assert "camera.fps" in read_program(config).settings_error
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        config.write_text(f'[avatar]\nphoto = "gone.jpg"\n[preview]\nport = {port}\n[runtime]\nengine = "onnxruntime-directml"\n')
        facts = read_program(config)
    assert f"{tmp_path}{os.sep}gone.jpg does not exist" in facts.portrait_error
    assert f"port {port}" in facts.port_error
    assert sys.platform == "win32" or "onnxruntime-directml" in facts.engine_error
    assert not [model.error for model in facts.models if model.error]
    assert len(facts.models[0].sha256) == 64


def test_the_log_file_is_tried_as_the_start_would(tmp_path: Path) -> None:
    assert log_error(tmp_path / "log" / "hifihead.log") == ""
    (tmp_path / "file").touch()
    assert log_error(tmp_path / "file" / "hifihead.log").startswith(f"{tmp_path / 'file' / 'hifihead.log'} cannot be written: ")
