"""The steps on Windows and macOS, where a driver of somebody else's must be installed by hand. Not tried on either system."""

from __future__ import annotations

from vcam.sinks.driver import Host

NOT_TRIED = "These steps are written after the drivers' own instructions; they were not tried with HifiHead Cam."

WINDOWS = """Windows: a camera named "{name}", by Unity Capture
1. Fetch https://github.com/schellingb/UnityCapture (Code → Download ZIP), and unpack it where it may stay.
2. In a command prompt that was started as administrator, in its folder Install:
       regsvr32 UnityCaptureFilter64.dll "/i:UnityCaptureName={name}"
       regsvr32 UnityCaptureFilter32.dll "/i:UnityCaptureName={name}"
3. hifihead run
Or install OBS Studio 28 or newer: its camera is taken where Unity Capture is not, and is always called "OBS Virtual Camera"."""

WINDOWS_REMOVAL = """Windows: in a command prompt that was started as administrator, in Unity Capture's folder Install:
       regsvr32 /u UnityCaptureFilter64.dll
       regsvr32 /u UnityCaptureFilter32.dll
Then delete that folder, and %LOCALAPPDATA%\\hifihead."""

MACOS = """macOS: the camera of OBS Studio, whose name is always "OBS Virtual Camera"
1. Install OBS Studio 30 or newer (https://obsproject.com).
2. Start it, press Start Virtual Camera, allow its system extension in System Settings → General → Login Items & Extensions, and
   press Stop Virtual Camera.
3. System Settings → Privacy & Security → Camera: allow the terminal.
4. hifihead run"""

MACOS_REMOVAL = """macOS: delete OBS Studio, whose system extension goes with it, and these folders:
       ~/Library/Caches/hifihead, ~/Library/Logs/hifihead, ~/Library/Application Support/hifihead"""


def instructions(host: Host, camera_name: str, *, uninstall: bool) -> str:
    """What is to be done there by hand."""
    steps = {"Windows": (WINDOWS, WINDOWS_REMOVAL)}.get(host.system, (MACOS, MACOS_REMOVAL))[uninstall]
    return f"{steps.format(name=camera_name)}\n\n{NOT_TRIED}"
