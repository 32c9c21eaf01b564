"""Facts about the hardware, by what the system tells without special rights."""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import os
import platform
import shutil
from pathlib import Path

from vcam.doctor.look.command import Ask, ask, lines_of
from vcam.doctor.look.python import version
from vcam.doctor.system import Folder, Gpu, MachineFacts

CPU_LIST = Path("/proc/cpuinfo")
WINDOWS_AVX2 = 40  # PF_AVX2_INSTRUCTIONS_AVAILABLE
X86 = ("x86_64", "AMD64")
NVIDIA_SMI = ["nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader,nounits"]
ENGINE = Path(__file__).parents[3] / "engine"


def machine_facts() -> MachineFacts:
    """This machine."""
    processor, avx2 = processor_facts()
    gpus, gpu_error = gpu_facts()
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    tensorrt = version("tensorrt") or ""
    return MachineFacts(processor, avx2, cpus, memory_mb(), gpus, gpu_error, tensorrt, audio(), folders())


def processor_facts(cpu_list: Path = CPU_LIST, ask: Ask = ask) -> tuple[str, bool | None]:
    """(name, whether it has AVX2; None where there is no such thing)."""
    x86 = platform.machine() in X86
    if platform.system() == "Linux" and cpu_list.is_file():
        entries = dict(line.split(":", 1) for line in cpu_list.read_text(errors="replace").splitlines() if ":" in line)
        known = {key.strip(): value.strip() for key, value in entries.items()}
        return known.get("model name", platform.machine()), "avx2" in known.get("flags", "").split() if x86 else None
    if platform.system() == "Darwin":
        name = lines_of(ask(["sysctl", "-n", "machdep.cpu.brand_string"])) or [platform.machine()]
        return name[0], lines_of(ask(["sysctl", "-n", "hw.optional.avx2_0"])) == ["1"] if x86 else None
    return platform.processor() or platform.machine(), windows_avx2() if x86 else None


def windows_avx2() -> bool | None:
    """What Windows says about AVX2; None on other systems."""
    kernel = getattr(ctypes, "windll", None)
    return None if kernel is None else bool(kernel.kernel32.IsProcessorFeaturePresent(WINDOWS_AVX2))


def memory_mb() -> int:
    """The machine's memory [MB]; 0 where the system does not tell."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 1024**2
    except (AttributeError, ValueError, OSError):
        return 0


def gpu_facts(ask: Ask = ask) -> tuple[tuple[Gpu, ...], str]:
    """(the NVIDIA cards, what went wrong); both empty where there is no NVIDIA driver."""
    answer = ask(NVIDIA_SMI)
    if answer is None:
        return (), ""
    lines = lines_of(answer)
    if lines is None:
        said = f"{answer.stdout}\n{answer.stderr}".strip().splitlines()
        return (), said[0] if said else f"status {answer.returncode}"
    fields = [[field.strip() for field in line.split(",")] for line in lines]
    return tuple(Gpu(name, driver, int(memory) if memory.isdecimal() else 0) for name, driver, memory in fields), ""


def audio() -> str:
    """PortAudio's version; "" when there is none, or the library sounddevice is missing."""
    if importlib.util.find_spec("sounddevice") is None:
        return ""
    try:
        return str(importlib.import_module("sounddevice").get_portaudio_version()[1])
    except OSError:
        return ""


def folders() -> tuple[Folder, ...]:
    """Where compiled code is kept for the next start."""
    own = os.environ.get("NUMBA_CACHE_DIR")
    compiled = folder("compiled code", Path(own) if own else ENGINE)
    try:
        from engine.runtime.cache import default_folder  # needs a package that may be missing
    except ImportError:
        return (compiled,)
    return compiled, folder("built engines", default_folder())


def folder(purpose: str, path: Path) -> Folder:
    """One folder; a missing one counts as its first parent that exists."""
    existing = next((place for place in (path, *path.parents) if place.exists()), Path())
    try:
        free_mb = shutil.disk_usage(existing).free // 1024**2
    except OSError:
        free_mb = None
    return Folder(purpose, path, os.access(existing, os.W_OK), free_mb)
