"""Processor, graphics card, sound and disk."""

from __future__ import annotations

from vcam.doctor.finding import Command, Finding
from vcam.doctor.system import System

LEAST_FREE_MB = 200  # what the caches may come to
LOCKED_FIX = "Make it writable, or start from a folder that is; every start is slower until then."


def processor(system: System) -> Finding:
    """The CPU; without AVX2 the camera works, slowly."""
    facts = system.machine
    vector = {True: ", AVX2", False: ", no AVX2: expect few pictures a second", None: ""}[facts.avx2]
    memory = f", {facts.memory_mb / 1024:.0f} GB" if facts.memory_mb else ""
    cpus = f"{facts.cpus} CPU{'s' if facts.cpus > 1 else ''}"
    return Finding("processor", "absent" if facts.avx2 is False else "ok", f"{facts.processor}, {cpus}{memory}{vector}")


def graphics(system: System) -> Finding:
    """An NVIDIA card and its driver; the camera does without."""
    facts = system.machine
    if facts.gpus:
        cards = ", ".join(f"{gpu.name} ({gpu.memory_mb / 1024:.0f} GB)" for gpu in facts.gpus)
        what = f"{cards}, driver {facts.gpus[0].driver}"
        if not facts.tensorrt:
            return Finding("GPU", "absent", f"{what}; no TensorRT: the GPU may stay idle", (nvidia_install(system),))
        return Finding("GPU", "ok", f"{what}, TensorRT {facts.tensorrt}")
    if facts.gpu_error:
        fix = "Restart the machine; if that does not help, install the NVIDIA driver again."
        return Finding("GPU", "absent", f"nvidia-smi fails: {facts.gpu_error}", (fix,))
    return Finding("GPU", "absent", "no NVIDIA driver; the processor does the work")


def nvidia_install(system: System) -> Command:
    """What brings the libraries that use an NVIDIA card."""
    checkout = system.python.checkout
    package = f"--editable '{checkout}[nvidia]'" if checkout else '"hifihead-cam[nvidia]"'
    return Command(f"{system.python.path} -m pip install {package}")


def audio(system: System) -> Finding:
    """PortAudio, which no part of the camera needs yet."""
    facts = system.machine
    if facts.audio:
        return Finding("audio", "ok", facts.audio)
    return Finding("audio", "absent", "no PortAudio; not needed: the meeting takes your microphone")


def disk(system: System) -> Finding:
    """The folders that hold what makes the next start quick."""
    for folder in system.machine.folders:
        if not folder.writable:
            return Finding("disk", "absent", f"{folder.path} ({folder.purpose}) cannot be written", (LOCKED_FIX,))
        if folder.free_mb is not None and folder.free_mb < LEAST_FREE_MB:
            detail = f"{folder.free_mb} MB free for {folder.path} ({folder.purpose}), wanted {LEAST_FREE_MB}"
            return Finding("disk", "failed", detail, (f"Make room there: delete what is not needed under {folder.path.anchor}",))
    free_mb = min((folder.free_mb for folder in system.machine.folders if folder.free_mb is not None), default=0)
    return Finding("disk", "ok", f"{free_mb / 1024:.0f} GB free, caches writable")
