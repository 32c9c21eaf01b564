"""The checks of Python, hardware, settings and models, and all checks in order."""

from __future__ import annotations

from vcam import sinks
from vcam.doctor.camera_checks import check_colours, check_pipewire, check_virtual_camera, check_webcam
from vcam.doctor.facts import ProgramFacts, PythonFacts, RequiredPackage, SystemFacts
from vcam.doctor.findings import Finding, ShellCommand

OPENCV = "opencv-contrib-python"
SYSTEM_LIBRARIES = ("libGL", "libEGL", "libGLESv2", "libgthread", "libglib")
INSTALL_SYSTEM_LIBRARIES = {
    "apt": "sudo apt install libgl1 libglib2.0-0 libegl1 libgles2",
    "dnf": "sudo dnf install libglvnd-glx glib2 libglvnd-egl libglvnd-gles",
    "pacman": "sudo pacman -S libglvnd glib2",
    "zypper": "sudo zypper install libglvnd libglib-2_0-0 libgthread-2_0-0",
}
LEAST_FREE_MB = 200  # what the caches may come to
LOCKED_FIX = "Make it writable, or start from a folder that is; every start is slower until then."


def run_checks(system: SystemFacts) -> list[Finding]:
    """The findings about a machine, in the order in which things must be put right.

    Without the libraries that the program is read with, the checks that need it are left out.
    """
    checks = (check_python, check_libraries, check_processor, check_graphics, check_disk)
    findings = [check(system) for check in checks]
    program = system.program
    if program is None:
        return [*findings, Finding("all else", "absent", "is looked at once the libraries are there")]
    return [
        *findings,
        check_settings(program),
        check_models(system, program),
        check_webcam(system, program),
        check_virtual_camera(system, program),
        check_pipewire(system, program),
        check_colours(system, program),
        check_preview(program),
        check_audio(system),
        check_log(program),
    ]


def check_python(system: SystemFacts) -> Finding:
    """The version of the interpreter."""
    facts = system.python
    if facts.fits:
        return Finding("Python", "ok", f"{facts.version}, {facts.path}")
    again = (
        ShellCommand("make clean && make run PYTHON=python3.13")
        if system.linux and facts.checkout
        else "Install Python 3.13 (https://www.python.org/downloads), then HifiHead Cam with it."
    )
    return Finding("Python", "failed", f"{facts.version} does not do; wanted {facts.wanted}", (again,))


def check_libraries(system: SystemFacts) -> Finding:
    """Whether all packages are installed in the pinned versions, none conflicts, and each can be imported."""
    facts = system.python
    wrong = [package for package in facts.packages if not package.fits]
    if wrong:
        described = (f"{one.name} {one.installed or 'missing'} (wanted {one.wanted.removeprefix('==')})" for one in wrong)
        return Finding("libraries", "failed", ", ".join(described), install_steps(facts, wrong))
    if facts.conflicts:
        conflicts = " ".join(facts.conflicts)
        again = pip(facts, f"install --force-reinstall --no-deps {OPENCV}{pin_of(facts, OPENCV)}")
        steps = (pip(facts, f"uninstall -y {conflicts}"), again)
        return Finding("libraries", "failed", f"{conflicts} must not stand beside {OPENCV}", steps)
    if facts.broken:
        name, reason = facts.broken
        return Finding("libraries", "failed", f"{name} cannot be loaded: {reason}", repair_steps(system, name, reason))
    return Finding("libraries", "ok", f"all {len(facts.packages)} as pinned")


def install_steps(facts: PythonFacts, wrong: list[RequiredPackage]) -> tuple[str, ...]:
    """The command that brings every package to its pinned version."""
    if facts.checkout:
        return (pip(facts, f"install --editable {facts.checkout}"),)
    return (pip(facts, "install " + " ".join(f'"{package.name}{package.wanted}"' for package in wrong)),)


def repair_steps(system: SystemFacts, name: str, reason: str) -> tuple[str, ...]:
    """What helps when an installed package cannot be imported."""
    if system.linux and any(library in reason for library in SYSTEM_LIBRARIES):
        return (ShellCommand(INSTALL_SYSTEM_LIBRARIES[system.host.installer]),)
    facts = system.python
    return (pip(facts, f"install --force-reinstall --no-deps {name}{pin_of(facts, name)}"),)


def pip(facts: PythonFacts, arguments: str) -> ShellCommand:
    """A command of this interpreter's pip."""
    return ShellCommand(f"{facts.path} -m pip {arguments}")


def pin_of(facts: PythonFacts, name: str) -> str:
    """The pinned version of a package, e.g. "==4.11.0.86"."""
    return next((package.wanted for package in facts.packages if package.name == name), "")


def check_processor(system: SystemFacts) -> Finding:
    """The CPU; without AVX2 the camera works, slowly."""
    facts = system.machine
    vector = {True: ", AVX2", False: ", no AVX2: expect few pictures a second", None: ""}[facts.avx2]
    memory = f", {facts.memory_mb / 1024:.0f} GB" if facts.memory_mb else ""
    cpus = f"{facts.cpus} CPU{'s' if facts.cpus > 1 else ''}"
    return Finding("processor", "absent" if facts.avx2 is False else "ok", f"{facts.processor}, {cpus}{memory}{vector}")


def check_graphics(system: SystemFacts) -> Finding:
    """NVIDIA graphics cards, their driver and TensorRT; the camera works without."""
    facts = system.machine
    if facts.gpus:
        cards = ", ".join(f"{gpu.name} ({gpu.memory_mb / 1024:.0f} GB)" for gpu in facts.gpus)
        what = f"{cards}, driver {facts.gpus[0].driver}"
        if not facts.tensorrt:
            return Finding("GPU", "absent", f"{what}; no TensorRT: the GPU may stay idle", (install_nvidia(system.python),))
        return Finding("GPU", "ok", f"{what}, TensorRT {facts.tensorrt}")
    if facts.gpu_error:
        fix = "Restart the machine; if that does not help, install the NVIDIA driver again."
        return Finding("GPU", "absent", f"nvidia-smi fails: {facts.gpu_error}", (fix,))
    return Finding("GPU", "absent", "no NVIDIA driver; the processor does the work")


def install_nvidia(facts: PythonFacts) -> ShellCommand:
    """The command that installs the libraries for NVIDIA cards."""
    package = f"--editable '{facts.checkout}[nvidia]'" if facts.checkout else '"hifihead-cam[nvidia]"'
    return pip(facts, f"install {package}")


def check_disk(system: SystemFacts) -> Finding:
    """The folders of the caches, which make the next start quick."""
    for folder in system.machine.folders:
        if not folder.writable:
            return Finding("disk", "absent", f"{folder.path} ({folder.purpose}) cannot be written", (LOCKED_FIX,))
        if folder.free_mb is not None and folder.free_mb < LEAST_FREE_MB:
            detail = f"{folder.free_mb} MB free for {folder.path} ({folder.purpose}), wanted {LEAST_FREE_MB}"
            return Finding("disk", "failed", detail, (f"Make room there: delete what is not needed under {folder.path.anchor}",))
    free_mb = min((folder.free_mb for folder in system.machine.folders if folder.free_mb is not None), default=0)
    return Finding("disk", "ok", f"{free_mb / 1024:.0f} GB free, caches writable")


def check_audio(system: SystemFacts) -> Finding:
    """PortAudio, which only plug-ins with sound need, and not on Linux."""
    facts = system.machine
    if facts.audio:
        return Finding("audio", "ok", facts.audio)
    return Finding("audio", "absent", "no PortAudio; not needed: the meeting takes your microphone")


def check_settings(program: ProgramFacts) -> Finding:
    """The settings file, and the photograph, engine and models that it names; without own models the camera works."""
    where = str(program.settings_path) if program.settings_path else "the defaults"
    for error in (program.settings_error, program.portrait_error, program.engine_error):
        if error:
            return Finding("settings", "failed", error, (f"Correct {where} there, and save it.",))
    own = (("generator", "runtime.bundle", program.bundle_error), ("network", "tracking.network", program.network_error))
    for model, name, error in own:
        if error:
            fix = f'Train or export it again, or set {name} = "" in {where}.'
            return Finding("settings", "absent", f"{error} The {model} that ships is used", (fix,))
    return Finding("settings", "ok", where)


def check_models(system: SystemFacts, program: ProgramFacts) -> Finding:
    """The models that ship, compared with their own manifests."""
    wrong = next((model for model in program.models if model.error), None)
    if wrong is None:
        return Finding("models", "ok", ", ".join(f"{model.name} {model.sha256[:8]}".rstrip() for model in program.models))
    checkout = system.python.checkout
    again = "Install HifiHead Cam again: its files are damaged."
    fix = ShellCommand(f"git -C {checkout} checkout -- engine/assets") if checkout else again
    return Finding("models", "failed", f"{wrong.name}: {wrong.error}", (fix,))


def check_preview(program: ProgramFacts) -> Finding:
    """Whether the preview page can listen on its port."""
    output, port = program.settings.output, program.settings.preview.port
    if not sinks.wants(output.sink, "preview"):
        return Finding("preview page", "absent", f"not wanted: output.sink is '{output.sink}'")
    if program.port_error and program.running:
        return Finding("preview page", "ok", f"127.0.0.1, port {port}, in use by HifiHead Cam itself")
    if program.port_error:
        fix = "Set preview.port = 0 in the settings file: any free port is taken then."
        return Finding("preview page", "failed", program.port_error, (fix,))
    return Finding("preview page", "ok", f"127.0.0.1, port {port}" if port else "127.0.0.1, any free port")


def check_log(program: ProgramFacts) -> Finding:
    """Where failures are recorded; the camera works without."""
    if program.log_error:
        return Finding("log file", "absent", f"{program.log_error} Failures are not recorded")
    return Finding("log file", "ok", str(program.log_file))
