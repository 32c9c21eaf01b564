"""The machine as the doctor sees it: facts only. Checks read them, tests make them up, ``vcam.doctor.look`` finds them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from vcam.sinks.driver import Host
from vcam.v4l2 import Device

if TYPE_CHECKING:
    from vcam.config import Settings

VideoGroup = Literal["member", "after login", "no"]


@dataclass(frozen=True)
class Package:
    """A required package: ``wanted`` as pinned, e.g. "==1.26.4"; ``installed`` None when it is not there."""

    name: str
    wanted: str
    installed: str | None
    fits: bool


@dataclass(frozen=True)
class PythonFacts:
    """``rivals``: OpenCV packages that must not stand beside ours; ``broken``: the first package that cannot be loaded, and why;
    ``checkout``: the project's folder, None when installed from a wheel."""

    version: str
    path: Path
    wanted: str
    fits: bool
    packages: tuple[Package, ...] = ()
    rivals: tuple[str, ...] = ()
    broken: tuple[str, str] | None = None
    checkout: Path | None = None


@dataclass(frozen=True)
class Gpu:
    """As nvidia-smi tells it."""

    name: str
    driver: str
    memory_mb: int


@dataclass(frozen=True)
class Folder:
    """A folder that is written to: ``free_mb`` None when it cannot be asked."""

    purpose: str
    path: Path
    writable: bool
    free_mb: int | None


@dataclass(frozen=True)
class MachineFacts:
    """``avx2`` None on processors that have no such thing; ``gpu_error``: what nvidia-smi says when it fails; ``tensorrt`` and
    ``audio`` (PortAudio): versions, "" when they are not there."""

    processor: str
    avx2: bool | None
    cpus: int
    memory_mb: int
    gpus: tuple[Gpu, ...] = ()
    gpu_error: str = ""
    tensorrt: str = ""
    audio: str = ""
    folders: tuple[Folder, ...] = ()


@dataclass(frozen=True)
class Node:
    """A video device; ``users``: the programs that have it open, as far as we may see; ``ours``: one of them is this program,
    running. Of the virtual camera also: ``sending``, some program sends to it now; ``keeps``, the format it insists on instead
    of ours, "" when it takes ours."""

    device: Device
    users: tuple[str, ...] = ()
    ours: bool = False
    sending: bool = False
    keeps: str = ""


@dataclass(frozen=True)
class CameraFacts:
    """``nodes`` on Linux; ``listed`` (webcam names, None when the system would not tell) and ``drivers`` (virtual cameras)
    elsewhere; ``group``, ``module_loaded``, ``exclusive_caps`` (of v4l2loopback) and ``secure_boot`` are Linux's."""

    nodes: tuple[Node, ...] = ()
    group: VideoGroup = "member"
    module_loaded: bool = False
    exclusive_caps: bool = False
    secure_boot: bool = False
    listed: tuple[str, ...] | None = None
    drivers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Model:
    """A file or folder that the program cannot do without; ``sha256`` starts its hash; ``complaint`` says what is wrong."""

    name: str
    sha256: str = ""
    complaint: str = ""


@dataclass(frozen=True)
class ProgramFacts:
    """What the program itself can read. ``settings`` are the defaults when ``settings_error`` is not ""."""

    settings: Settings
    settings_path: Path | None = None
    settings_error: str = ""
    portrait_error: str = ""
    engine_error: str = ""
    bundle_error: str = ""
    network_error: str = ""
    port_error: str = ""
    models: tuple[Model, ...] = ()


@dataclass(frozen=True)
class System:
    """Everything. ``program`` is None when libraries are missing that it needs to be read at all."""

    name: str
    host: Host
    python: PythonFacts
    machine: MachineFacts
    cameras: CameraFacts
    program: ProgramFacts | None

    @property
    def linux(self) -> bool:
        return self.host.system == "Linux"
