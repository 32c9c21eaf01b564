"""What the doctor knows about a machine, as typed facts: the probes gather them, the checks judge them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from vcam.sinks.driver import Host
from vcam.v4l2 import Device

if TYPE_CHECKING:
    from vcam.config import Settings  # needs pydantic, which may be missing

VideoGroup = Literal["member", "after login", "no"]
PipeWireState = Literal["session", "no session", "no library"]


@dataclass(frozen=True)
class RequiredPackage:
    """A package that the project requires.

    wanted     as pinned, e.g. "==1.26.4"
    installed  its version; None when it is not installed
    fits       whether the installed version is one of those wanted
    """

    name: str
    wanted: str
    installed: str | None
    fits: bool


@dataclass(frozen=True)
class PythonFacts:
    """The interpreter and its packages.

    version, path  of the interpreter
    wanted         the supported versions of Python, e.g. ">=3.10,<3.13"
    fits           whether ``version`` is one of them
    conflicts      installed OpenCV packages that overwrite files of the required one
    broken         (name, reason) of the first package that cannot be imported; None when all can
    checkout       the project's folder; None when it was installed from a wheel
    """

    version: str
    path: Path
    wanted: str
    fits: bool
    packages: tuple[RequiredPackage, ...] = ()
    conflicts: tuple[str, ...] = ()
    broken: tuple[str, str] | None = None
    checkout: Path | None = None


@dataclass(frozen=True)
class GraphicsCard:
    """An NVIDIA graphics card as nvidia-smi reports it; ``memory_mb`` is 0 when it does not say."""

    name: str
    driver: str
    memory_mb: int


@dataclass(frozen=True)
class CacheFolder:
    """A folder that the program writes caches to; ``free_mb`` is None when it cannot be determined."""

    purpose: str
    path: Path
    writable: bool
    free_mb: int | None


@dataclass(frozen=True)
class MachineFacts:
    """The hardware.

    avx2             None on processors of another family than x86
    cpus             that this process may use
    memory_mb        0 when the system does not say
    gpu_error        what nvidia-smi says when it fails, else ""
    tensorrt, audio  versions of TensorRT and PortAudio, "" when not installed
    """

    processor: str
    avx2: bool | None
    cpus: int
    memory_mb: int
    gpus: tuple[GraphicsCard, ...] = ()
    gpu_error: str = ""
    tensorrt: str = ""
    audio: str = ""
    folders: tuple[CacheFolder, ...] = ()


@dataclass(frozen=True)
class VideoNode:
    """A video device (/dev/videoN) and who uses it.

    users    the programs that have it open, of those that this user may see
    ours     whether one of them is a running ``hifihead run``
    sending  of the virtual camera: whether some program sends to it now
    keeps    of the virtual camera: the format that it insists on, e.g. "640x480 YUYV"; "" when it takes ours
    """

    device: Device
    users: tuple[str, ...] = ()
    ours: bool = False
    sending: bool = False
    keeps: str = ""


@dataclass(frozen=True)
class CameraFacts:
    """Webcams and virtual cameras.

    On Linux: ``nodes``; ``group``, whether this user is in the group "video"; ``module_loaded`` and ``exclusive_caps`` of
    v4l2loopback; ``secure_boot``; ``pipewire``, whether this user has a session of PipeWire. Elsewhere: ``listed``, the names of
    the webcams, None when the system gives no list; and ``drivers``, the installed virtual cameras.
    """

    nodes: tuple[VideoNode, ...] = ()
    group: VideoGroup = "member"
    module_loaded: bool = False
    exclusive_caps: bool = False
    secure_boot: bool = False
    pipewire: PipeWireState = "no session"
    listed: tuple[str, ...] | None = None
    drivers: tuple[str, ...] = ()


@dataclass(frozen=True)
class ModelFacts:
    """A model that the program ships; ``sha256`` of its manifest ("" without one); ``error`` says what is wrong, else ""."""

    name: str
    sha256: str = ""
    error: str = ""


@dataclass(frozen=True)
class ProgramFacts:
    """Settings, models and log. Each ``…_error`` is a sentence, or "" when all is well.

    settings  the defaults when there is ``settings_error``
    running   whether a camera of HifiHead Cam runs now
    log_file  where failures are recorded
    """

    settings: Settings
    settings_path: Path | None = None
    settings_error: str = ""
    portrait_error: str = ""
    engine_error: str = ""
    bundle_error: str = ""
    network_error: str = ""
    port_error: str = ""
    running: bool = False
    models: tuple[ModelFacts, ...] = ()
    log_file: Path = Path("hifihead.log")
    log_error: str = ""


@dataclass(frozen=True)
class SystemFacts:
    """All facts. ``program`` is None when libraries are missing without which it cannot be read."""

    name: str
    host: Host
    python: PythonFacts
    machine: MachineFacts
    cameras: CameraFacts
    program: ProgramFacts | None

    @property
    def linux(self) -> bool:
        return self.host.system == "Linux"
