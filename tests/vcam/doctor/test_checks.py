"""Every check: nothing wrong on a healthy machine, and for each obstacle the mark, the cause and the exact cure."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.vcam.doctor.systems import HEALTHY, NAME, OURS, USB, finding, on, spoiled, with_nodes, with_settings
from vcam.doctor.checks import run_checks
from vcam.doctor.facts import CacheFolder, CameraFacts, GraphicsCard, ModelFacts, RequiredPackage, SystemFacts, VideoNode
from vcam.doctor.findings import ShellCommand, usable
from vcam.sinks.driver import Host
from vcam.v4l2 import LOOPBACK_DRIVER, Device

LOAD = f"""sudo modprobe v4l2loopback exclusive_caps=1 card_label='"{NAME}"'"""
RELOAD = f"sudo modprobe -r v4l2loopback|{LOAD}"
PIP = "/opt/cam/.venv/bin/python -m pip"
HEADLESS = RequiredPackage("opencv-contrib-python", "==4.11.0.86", "4.11.0.86", fits=True)
BROKEN = replace(OURS, name="HifiHead")
NOT_INSTALLED = replace(with_nodes(VideoNode(USB)), host=Host("Linux", "pacman", module_installed=False))
WHEEL = spoiled("python", checkout=None, packages=(RequiredPackage("numpy", "==1.26.4", "2.1.0", fits=False),))
NO_LIBRARY = replace(with_settings(output={"sink": "pipewire"}), cameras=CameraFacts((VideoNode(USB),), pipewire="no library"))
DESKTOP = with_nodes(VideoNode(USB), pipewire="session")
DSLR = Device(Path("/dev/video5"), "DSLR", "ok", LOOPBACK_DRIVER, capture=True)
H100 = GraphicsCard("NVIDIA H100", "550.54", 81559)


def test_a_healthy_machine_is_usable() -> None:
    findings = run_checks(HEALTHY)
    assert usable(findings)
    assert not [found for found in findings if found.fix]
    assert {found.name for found in findings if found.state == "absent"} == {"GPU", "PipeWire", "audio"}


# (system, check, words of the detail, the steps joined by |)
FAILED: list[tuple[SystemFacts, str, str, str]] = [
    (spoiled("python", version="3.9.2", fits=False), "Python", "3.9.2 does not do", "make clean && make run PYTHON=python3.13"),
    (WHEEL, "libraries", "numpy 2.1.0 (wanted 1.26.4)", f'{PIP} install "numpy==1.26.4"'),
    (
        spoiled("python", packages=(RequiredPackage("av", "==18.1.0", None, fits=False),)),
        "libraries",
        "av missing",
        f"{PIP} install --editable /opt/cam",
    ),
    (
        spoiled("python", conflicts=("opencv-python",), packages=(HEADLESS,)),
        "libraries",
        "opencv-python must not stand beside",
        f"{PIP} uninstall -y opencv-python|{PIP} install --force-reinstall --no-deps opencv-contrib-python==4.11.0.86",
    ),
    (
        spoiled("python", broken=("opencv-contrib-python", "libGL.so.1: cannot open shared object file")),
        "libraries",
        "libGL.so.1",
        "sudo apt install libgl1 libglib2.0-0 libegl1 libgles2",
    ),
    (
        spoiled("python", broken=("numpy", "it crashed (signal 11)")),
        "libraries",
        "numpy cannot be loaded: it crashed",
        f"{PIP} install --force-reinstall --no-deps numpy==1.26.4",
    ),
    (
        spoiled("machine", folders=(CacheFolder("caches", Path("/home/me"), writable=True, free_mb=3),)),
        "disk",
        "3 MB free",
        "Make room there: delete what is not needed under /",
    ),
    (
        spoiled("program", settings_error="camera.fps must be …"),
        "settings",
        "camera.fps",
        "Correct /opt/cam/config.toml there, and save it.",
    ),
    (spoiled("program", portrait_error="The picture me.jpg does not exist."), "settings", "me.jpg", "Correct"),
    (spoiled("program", engine_error="The engine 'x' is not installed."), "settings", "engine 'x'", "Correct"),
    (
        spoiled("program", models=(ModelFacts("live", "", "frame.onnx is damaged."),)),
        "models",
        "live: frame.onnx is damaged",
        "git -C /opt/cam checkout -- engine/assets",
    ),
    (spoiled("program", port_error="port 80 is taken"), "preview page", "port 80", "Set preview.port = 0"),
    # webcam
    (with_nodes(VideoNode(OURS)), "webcam", "none found", "Plug one in"),
    (with_nodes(VideoNode(OURS, users=("python (7)",), ours=True)), "webcam", "none found", "Plug one in"),
    (
        with_nodes(VideoNode(replace(USB, access="no permission", capture=False)), group="no"),
        "webcam",
        "no permission for USB Camera (/dev/video0)",
        "sudo usermod -aG video $USER|Then log out and in again.",
    ),
    (
        with_nodes(VideoNode(replace(USB, access="no permission", capture=False)), group="after login"),
        "webcam",
        "no permission",
        "You are in the group video, but this session began before: log out and in again.",
    ),
    (
        with_nodes(VideoNode(replace(USB, access="no permission", capture=False))),
        "webcam",
        "no permission",
        "You are in the group video already",
    ),
    (
        with_nodes(VideoNode(replace(USB, access="absent", capture=False))),
        "webcam",
        "the file is missing",
        "In a container: start it with --device /dev/video0.",
    ),
    (with_nodes(VideoNode(USB, users=("zoom (41)",))), "webcam", "in use by zoom (41)", "Close zoom (41)"),
    (with_nodes(VideoNode(replace(USB, access="busy", capture=False))), "webcam", "another program", "Close another program"),
    (with_settings(camera={"source": "3"}), "webcam", "there is no /dev/video3", "Set camera.source to 'auto'"),
    (with_settings(camera={"source": "gone.mp4"}), "webcam", "gone.mp4, which does not exist", "Set camera.source"),
    (on("Darwin", listed=()), "webcam", "none found", "Plug one in, or switch it on (shutter, function key).|System Settings"),
    (on("Windows", listed=()), "webcam", "none found", "Plug one in, or switch it on (shutter, function key).|Settings"),
    # virtual camera
    (with_nodes(VideoNode(USB), module_loaded=False), "virtual camera", "none named 'HifiHead Cam'", LOAD),
    (replace(NOT_INSTALLED, cameras=replace(NOT_INSTALLED.cameras, module_loaded=False)), "virtual camera", "none named",
     f"sudo pacman -S v4l2loopback-dkms|{LOAD}"),
    (with_nodes(VideoNode(USB), module_loaded=False, secure_boot=True), "virtual camera", "none named",
     f"{LOAD}|Secure Boot is on"),
    (with_nodes(VideoNode(USB)), "virtual camera", "only none", RELOAD),
    (with_nodes(VideoNode(BROKEN)), "virtual camera", "only 'HifiHead'; inner quotes lost", RELOAD),
    (with_nodes(VideoNode(BROKEN, users=("obs (5)",))), "virtual camera", "only 'HifiHead'", f"Close obs (5) first.|{RELOAD}"),
    (with_nodes(VideoNode(replace(OURS, access="no permission")), group="no"), "virtual camera", "no permission", "sudo usermod"),
    (with_nodes(VideoNode(replace(OURS, access="absent"))), "virtual camera", "the file is missing", RELOAD),
    (with_nodes(VideoNode(replace(OURS, driver="uvcvideo"))), "virtual camera", "is a real camera", "Give the virtual one"),
    (with_nodes(VideoNode(replace(OURS, capture=True))), "virtual camera", "exclusive_caps is off", RELOAD),
    (with_nodes(VideoNode(replace(OURS, capture=True, output=False), users=("obs (5)",), sending=True)), "virtual camera",
     "obs (5) sends to HifiHead Cam", "Close obs (5)."),
    (with_nodes(VideoNode(replace(OURS, access="busy"))), "virtual camera", "another program sends", "sudo fuser -v /dev/video9"),
    (with_nodes(VideoNode(OURS, keeps="640x480 YUYV")), "virtual camera", "is stuck at 640x480 YUYV", RELOAD),
    (with_nodes(VideoNode(OURS, keeps="640x480 YUYV", users=("chrome (8)",))), "virtual camera", "stuck at", "Close chrome (8)"),
    (with_settings(output={"sink": "pipewire"}), "PipeWire", "no session of PipeWire", "Log in to a desktop"),
    (NO_LIBRARY, "PipeWire", "no library of PipeWire", "sudo apt install libpipewire-0.3-0 pipewire wireplumber"),
    (on("Windows"), "virtual camera", "no driver found", "Install Unity Capture (https"),
    (on("Darwin"), "virtual camera", "no driver found", "Install OBS Studio 30"),
]  # fmt: skip


@pytest.mark.parametrize(("system", "name", "detail", "fix"), FAILED)
def test_every_obstacle_has_its_cure(system: SystemFacts, name: str, detail: str, fix: str) -> None:
    found = finding(system, name)
    assert found.state == "failed"
    assert detail in found.detail
    assert "|".join(found.fix).startswith(fix)
    assert not usable(run_checks(system))


GOES_WITHOUT: list[tuple[SystemFacts, str, str]] = [
    (spoiled("machine", avx2=False), "processor", "no AVX2"),
    (spoiled("machine", gpu_error="Driver/library version mismatch"), "GPU", "nvidia-smi fails: Driver/library"),
    (spoiled("machine", gpus=(H100,)), "GPU", "NVIDIA H100 (80 GB), driver 550.54; no TensorRT"),
    (spoiled("machine", folders=(CacheFolder("caches", Path("/usr"), writable=False, free_mb=9),)), "disk", "cannot be written"),
    (with_settings(camera={"source": __file__}), "webcam", "not wanted"),
    (with_settings(camera={"source": "idle"}), "webcam", "not wanted: camera.source is idle"),
    (on("Windows", listed=None), "webcam", "no list"),
    (spoiled("program", bundle_error="mine/frame.onnx is damaged."), "settings", "The generator that ships is used"),
    (spoiled("program", network_error="mine/network.onnx is damaged."), "settings", "The network that ships is used"),
    (with_settings(output={"sink": "preview"}), "virtual camera", "not wanted"),
    (with_settings(output={"sink": "preview"}), "colours", "no virtual camera"),
    (with_settings(output={"sink": "virtual"}), "preview page", "not wanted"),
    (DESKTOP, "virtual camera", "Chrome and Zoom need it"),
    (with_nodes(VideoNode(USB), VideoNode(OURS), pipewire="session"), "PipeWire", "not needed"),
    (on("Darwin", listed=("FaceTime HD",), drivers=("OBS Virtual Camera",)), "PipeWire", "Linux only"),
    (spoiled("program", log_error="/var/hifihead.log cannot be written: Permission denied."), "log file", "cannot be written"),
    (on("Darwin", listed=("FaceTime HD",), drivers=("OBS Virtual Camera",)), "colours", "not verified"),
]


@pytest.mark.parametrize(("system", "name", "detail"), GOES_WITHOUT)
def test_what_is_not_needed_does_not_stand_in_the_way(system: SystemFacts, name: str, detail: str) -> None:
    found = finding(system, name)
    assert found.state == "absent"
    assert detail in found.detail


FINE: list[tuple[SystemFacts, str, str]] = [
    (spoiled("machine", gpus=(H100,), tensorrt="11.0"), "GPU", "driver 550.54, TensorRT 11.0"),
    (spoiled("machine", avx2=None), "processor", "Some CPU, 8 CPUs, 16 GB"),
    (spoiled("machine", audio="PortAudio 19.7"), "audio", "PortAudio 19.7"),
    (DESKTOP, "PipeWire", "others that ask the desktop list 'HifiHead Cam'"),
    (with_settings(preview={"port": 8080}), "preview page", "port 8080"),
    (HEALTHY, "log file", "/home/me/hifihead.log"),
    (with_nodes(VideoNode(USB, users=("python (7)",), ours=True), VideoNode(OURS)), "webcam", "in use by HifiHead Cam itself"),
    (with_settings(camera={"source": "0"}), "webcam", "USB Camera (/dev/video0)"),
    (
        with_nodes(VideoNode(DSLR, users=("gphoto2 (8)",)), VideoNode(OURS)),
        "webcam",
        "DSLR (/dev/video5), sent to by gphoto2 (8)",
    ),
    (spoiled("program", port_error="port 80 is taken", running=True), "preview page", "in use by HifiHead Cam itself"),
    (
        with_nodes(VideoNode(USB), VideoNode(replace(OURS, capture=True, output=False), ours=True)),
        "virtual camera",
        "is sending to it",
    ),
    (with_nodes(VideoNode(USB), VideoNode(replace(OURS, output=False))), "virtual camera", "left over from the last program"),
    (
        with_nodes(VideoNode(USB), VideoNode(replace(OURS, capture=True, output=False), users=("chrome (8)",))),
        "virtual camera",
        "read by chrome",
    ),
    (with_nodes(VideoNode(USB), VideoNode(replace(OURS, capture=True)), exclusive_caps=True), "virtual camera", "HifiHead Cam"),
    (on("Darwin", listed=("FaceTime HD",), drivers=("OBS Virtual Camera",)), "webcam", "FaceTime HD"),
    (on("Darwin", listed=("FaceTime HD",), drivers=("OBS Virtual Camera",)), "virtual camera", "OBS Virtual Camera"),
]


@pytest.mark.parametrize(("system", "name", "detail"), FINE)
def test_what_is_there_is_named(system: SystemFacts, name: str, detail: str) -> None:
    found = finding(system, name)
    assert (found.state, found.fix) == ("ok", ())
    assert detail in found.detail
    assert usable(run_checks(system))


def test_without_the_libraries_the_rest_waits() -> None:
    findings = run_checks(
        replace(spoiled("python", packages=(RequiredPackage("pydantic", "==2", None, fits=False),)), program=None)
    )
    assert [found.name for found in findings][-1] == "all else"
    assert not usable(findings)


def test_commands_are_told_from_sentences() -> None:
    steps = finding(with_nodes(VideoNode(BROKEN, users=("obs (5)",))), "virtual camera").fix
    assert [isinstance(step, ShellCommand) for step in steps] == [False, True, True]
