"""Gathers the facts about Python, the hardware and, with the other probes, the whole system.

Only the standard library is needed: what must be imported may be missing or broken, which is what the doctor is to find out.
Nothing here raises; what cannot be determined is left empty.
"""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import os
import platform
import shutil
import signal
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

from vcam.doctor.facts import CacheFolder, GraphicsCard, MachineFacts, ProgramFacts, PythonFacts, RequiredPackage, SystemFacts
from vcam.doctor.probe_cameras import RunTool, camera_facts, output_lines, run_tool
from vcam.sinks.driver import this_host
from vcam.version import DISTRIBUTION, PROJECT, installed_version

CONFLICTING = ("opencv-python", "opencv-python-headless", "opencv-contrib-python-headless")
# those with native code that may not load here: package → what is imported; mediapipe only as the tracker imports it
NATIVE = {
    "numpy": "numpy", "opencv-contrib-python": "cv2", "av": "av", "numba": "numba", "onnxruntime": "onnxruntime",
    "openvino": "openvino", "pydantic": "pydantic", "pillow": "PIL.Image", "pyvirtualcam": "pyvirtualcam",
    "mediapipe": "engine.track",
}  # fmt: skip
IMPORT_EACH = "import importlib, sys\nfor name in sys.argv[1:]:\n print(name, flush=True)\n importlib.import_module(name)"
CPU_LIST = Path("/proc/cpuinfo")
WINDOWS_AVX2 = 40  # PF_AVX2_INSTRUCTIONS_AVAILABLE
X86 = ("x86_64", "AMD64")
ImportProbe = Callable[[], Callable[[Path | None], ProgramFacts]]
NVIDIA_SMI = ["nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader,nounits"]
ENGINE = PROJECT / "engine"


def gather_facts(config: Path | None = None) -> SystemFacts:
    """The facts about this machine, under the settings of ``config``, or else of the file that ``run`` would take."""
    program = program_facts(config)
    output = program.settings.output if program else None
    wanted = (output.camera_name, (output.width_px, output.height_px)) if output else ("", (0, 0))
    return SystemFacts(system_name(), this_host(), python_facts(), machine_facts(), camera_facts(*wanted), program)


def import_program_probe() -> Callable[[Path | None], ProgramFacts]:
    """The probe of the program; raises ImportError when a library is missing that it needs."""
    from vcam.doctor.probe_program import read_program  # pydantic, numpy, …

    return read_program


def program_facts(config: Path | None, import_probe: ImportProbe = import_program_probe) -> ProgramFacts | None:
    """None when libraries are missing that the program is read with."""
    try:
        read_program = import_probe()
    except ImportError:
        return None
    return read_program(config)


def system_name() -> str:
    """The system as people call it, e.g. "Debian GNU/Linux 12 (bookworm), x86_64"."""
    try:
        name = platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        name = f"{platform.system().replace('Darwin', 'macOS')} {platform.mac_ver()[0] or platform.release()}"
    return f"{name}, {platform.machine()}"


def python_facts() -> PythonFacts:
    """The running interpreter and its packages."""
    wanted, requirements = project()
    packages = packages_of(requirements)
    there = [package.name for package in packages if package.installed and package.name in NATIVE]
    return PythonFacts(
        version=platform.python_version(),
        path=Path(sys.executable),
        wanted=wanted,
        fits=fits(wanted, platform.python_version()),
        packages=packages,
        conflicts=tuple(name for name in CONFLICTING if installed_version(name)),
        broken=first_broken(there),
        checkout=PROJECT if (PROJECT / "pyproject.toml").is_file() else None,
    )


def project() -> tuple[str, list[str]]:
    """(supported versions of Python, requirements) of the checkout, else of the installed package; else empty."""
    try:
        import tomlkit  # one of the packages in question

        stated = tomlkit.parse((PROJECT / "pyproject.toml").read_text(encoding="utf-8")).unwrap()["project"]
        return stated["requires-python"], stated["dependencies"]
    except (ImportError, OSError):
        pass
    try:
        installed = metadata.metadata(DISTRIBUTION)
        return installed["Requires-Python"], metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        return "", []


def packages_of(requirements: list[str]) -> tuple[RequiredPackage, ...]:
    """The requirements that apply to this machine, without extras, with the installed versions."""
    try:
        from packaging.requirements import Requirement  # one of the packages in question
    except ImportError:
        return (RequiredPackage("packaging", "", None, fits=False),)
    parsed = [Requirement(text) for text in requirements]
    wanted = [one for one in parsed if one.marker is None or one.marker.evaluate({"extra": ""})]
    pins = ((one.name, str(one.specifier), installed_version(one.name)) for one in wanted)
    return tuple(RequiredPackage(name, pin, installed, fits(pin, installed)) for name, pin, installed in pins)


def fits(wanted: str, installed: str | None) -> bool:
    """Whether a version is one of those wanted, e.g. "==1.26.4" or ">=3.10,<3.13"."""
    if installed is None:
        return False
    try:
        from packaging.specifiers import SpecifierSet  # one of the packages in question
    except ImportError:
        return True
    return SpecifierSet(wanted).contains(installed, prereleases=True)


def first_broken(packages: list[str], run: RunTool = run_tool) -> tuple[str, str] | None:
    """(package, reason) of the first that cannot be imported; None when all can, or when that takes too long to tell.

    The packages are imported in a process of its own, which may crash.
    """
    names = {NATIVE[package]: package for package in packages}
    answer = run([sys.executable, "-c", IMPORT_EACH, *names])
    if answer is None or answer.returncode == 0:
        return None
    tried = [line for line in answer.stdout.split() if line in names]
    reason = (answer.stderr.strip().splitlines() or ["no reason given"])[-1]
    if answer.returncode < 0:
        ill = answer.returncode == -signal.SIGILL
        reason = "this processor lacks instructions that it uses" if ill else f"it crashed (signal {-answer.returncode})"
    return (names[tried[-1]] if tried else "Python", reason)


def machine_facts() -> MachineFacts:
    """The hardware of this machine."""
    processor, avx2 = processor_facts(platform.system(), platform.machine())
    gpus, gpu_error = gpu_facts()
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    tensorrt = installed_version("tensorrt") or ""
    return MachineFacts(processor, avx2, cpus, memory_mb(), gpus, gpu_error, tensorrt, audio(), folders())


def processor_facts(
    system: str, architecture: str, cpu_list: Path = CPU_LIST, run: RunTool = run_tool
) -> tuple[str, bool | None]:
    """(name, whether it has AVX2: None on another family than x86); ``system`` and ``architecture`` as ``platform`` has them."""
    x86 = architecture in X86
    if system == "Linux" and cpu_list.is_file():
        entries = dict(line.split(":", 1) for line in cpu_list.read_text(errors="replace").splitlines() if ":" in line)
        known = {key.strip(): value.strip() for key, value in entries.items()}
        return known.get("model name", architecture), "avx2" in known.get("flags", "").split() if x86 else None
    if system == "Darwin":
        name = output_lines(run(["sysctl", "-n", "machdep.cpu.brand_string"])) or [architecture]
        return name[0], output_lines(run(["sysctl", "-n", "hw.optional.avx2_0"])) == ["1"] if x86 else None
    return platform.processor() or architecture, windows_avx2() if x86 else None


def windows_avx2() -> bool | None:
    """Whether Windows reports AVX2; None on other systems."""
    kernel = getattr(ctypes, "windll", None)
    return None if kernel is None else bool(kernel.kernel32.IsProcessorFeaturePresent(WINDOWS_AVX2))


def memory_mb() -> int:
    """The machine's memory [MB]; 0 when the system does not say."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 1024**2
    except (AttributeError, ValueError, OSError):
        return 0


def gpu_facts(run: RunTool = run_tool) -> tuple[tuple[GraphicsCard, ...], str]:
    """(the NVIDIA cards, what went wrong); both empty where there is no NVIDIA driver."""
    answer = run(NVIDIA_SMI)
    if answer is None:
        return (), ""
    lines = output_lines(answer)
    if lines is None:
        said = f"{answer.stdout}\n{answer.stderr}".strip().splitlines()
        return (), said[0] if said else f"status {answer.returncode}"
    fields = [[field.strip() for field in line.split(",")] for line in lines]
    cards = (GraphicsCard(name, driver, int(memory) if memory.isdecimal() else 0) for name, driver, memory in fields)
    return tuple(cards), ""


def audio() -> str:
    """PortAudio's version; "" when there is none, or the library sounddevice is missing."""
    if importlib.util.find_spec("sounddevice") is None:
        return ""
    try:
        return str(importlib.import_module("sounddevice").get_portaudio_version()[1])
    except OSError:
        return ""


def folders() -> tuple[CacheFolder, ...]:
    """The folders that keep compiled code and built engines for the next start."""
    own = os.environ.get("NUMBA_CACHE_DIR")
    compiled = folder("compiled code", Path(own) if own else ENGINE)
    try:
        from engine.runtime.cache import default_folder  # needs a package that may be missing
    except ImportError:
        return (compiled,)
    return compiled, folder("built engines", default_folder())


def folder(purpose: str, path: Path) -> CacheFolder:
    """One folder; a missing one is judged by the nearest parent that exists."""
    existing = next((place for place in (path, *path.parents) if place.exists()), Path())
    try:
        free_mb = shutil.disk_usage(existing).free // 1024**2
    except OSError:
        free_mb = None
    return CacheFolder(purpose, path, os.access(existing, os.W_OK), free_mb)
