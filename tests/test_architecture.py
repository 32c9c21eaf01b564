"""Who may import whom. The sources are read, not run; imports inside functions and for type checking count as well."""

from __future__ import annotations

import ast
import functools
import subprocess
import sys
from pathlib import Path

import pytest

from engine.values import LANDMARKS

ROOT = Path(__file__).parents[1]
OURS = ("engine", "vcam", "trainer", "plugins")

# package → what of ours it may import, besides itself
ALLOWED = {
    "engine": (),
    "vcam": ("engine",),
    "trainer": ("engine",),
    "plugins": (
        "vcam.plugins",
        "vcam.motion",
        "vcam.sound",
        "engine.content_credentials",
        "engine.errors",
        "engine.files",
        "engine.mp4_recording",
        "engine.picture",
        "engine.resource",
        "engine.values",
        "engine.visemes",
        "engine.watermark",
    ),
}

# the base install has none of these; of what runs there, only these doors import them, and lazily
EXTRAS = ("torch", "onnx", "onnxscript", "safetensors", "tensorboard", "tensorrt", "nvdiffrast", "torchmetrics", "ray", "scipy")
DOORS = (
    "engine.runtime.torch_backend",
    "engine.generator.graphs",
    "engine.runtime.tensorrt_backend",
    "engine.generator.frame_renderer_torch",
    "engine.render.cuda",
    "engine.head.basel",
)

SIMILAR: set[str] = {"plugins.disclosure"}  # modules with numbers that look like landmarks and are none


def name_of(path: Path) -> str:
    """The dotted name of a module."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for package in OURS for path in sorted((ROOT / package).rglob("*.py"))}


@functools.cache
def imported(name: str) -> set[str]:
    """Every module that a module imports anywhere; of "from a import b" it is a.b when that is a module of ours, else a."""
    found = set()
    for node in ast.walk(ast.parse(MODULES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} imports relatively"
            module = node.module or ""
            found |= {f"{module}.{alias.name}" if f"{module}.{alias.name}" in MODULES else module for alias in node.names}
    return found


def within(module: str, packages: tuple[str, ...]) -> bool:
    """Whether a module is one of the packages or lies in one."""
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def reached(start: str) -> set[str]:
    """The modules of ours that run when ``start`` does, the doors left out."""
    found, waiting = set(), [start]
    while waiting:
        name = waiting.pop()
        if name in found or name in DOORS or name not in MODULES:
            continue
        found.add(name)
        parents = [name.rsplit(".", depth)[0] for depth in range(1, name.count(".") + 1)]
        waiting += [*imported(name), *parents]
    return found


@pytest.mark.parametrize("package", OURS)
def test_packages_import_only_what_they_may(package: str) -> None:
    allowed = (package, *ALLOWED[package])
    wrong = [
        f"{name} imports {module}"
        for name in MODULES
        if within(name, (package,))
        for module in sorted(imported(name))
        if within(module, OURS) and not within(module, allowed)
    ]
    assert not wrong


def test_the_program_reaches_no_extra_but_through_a_door() -> None:
    program = {module for name in MODULES if within(name, ("vcam", "plugins")) for module in reached(name)}
    assert "engine.generator.live" in program  # the walk went somewhere
    wrong = [f"{name} imports {m}" for name in sorted(program) for m in sorted(imported(name)) if within(m, EXTRAS)]
    assert not wrong


@pytest.mark.parametrize("door", DOORS)
def test_doors_are_modules(door: str) -> None:
    assert door in MODULES


def test_the_engine_and_the_program_start_without_the_extras() -> None:
    modules = ["engine.animator", *(name for name in MODULES if within(name, ("vcam",)) and not name.endswith("__main__"))]
    script = (
        f"import importlib, sys\nsys.modules.update(dict.fromkeys({EXTRAS!r}))\n"
        f"for name in {modules!r}: importlib.import_module(name)\n"
        "from engine.generator.live import Generator\nprint(Generator(threads=1).engine)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-1] in ("openvino", "onnxruntime")


def circle_in(graph: dict[str, set[str]]) -> list[str]:
    """Modules of which each imports the next, the last one the first; empty when there are none."""
    done: set[str] = set()

    def walk(name: str, way: list[str]) -> list[str]:
        if name in way:
            return way[way.index(name) :]
        if name not in done:
            for other in sorted(graph.get(name, ())):
                found = walk(other, [*way, name])
                if found:
                    return found
            done.add(name)
        return []

    return next((found for name in sorted(graph) if (found := walk(name, []))), [])


def test_circles_are_found() -> None:
    assert circle_in({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c"]
    assert not circle_in({"a": {"b", "c"}, "b": {"c"}, "c": set()})


def test_no_modules_of_the_engine_import_each_other() -> None:
    engine = {name for name in MODULES if within(name, ("engine",))}
    assert not circle_in({name: (imported(name) & engine) - {name} for name in engine})


def test_the_runtime_knows_nothing_of_the_generator() -> None:
    runtime = [name for name in MODULES if within(name, ("engine.runtime",))]
    above = ("engine.generator", "engine.regress", "engine.track", "engine.warp", "engine.animator", "engine.manifest")
    assert not [f"{name} imports {module}" for name in runtime for module in imported(name) if within(module, above)]
    assert not [name for name in runtime if "engine.generator" in MODULES[name].read_text(encoding="utf-8")]


def test_only_tests_use_the_readable_twins() -> None:
    def is_twin(module: str) -> bool:
        return module in MODULES and module.endswith("reference")

    assert any(map(is_twin, MODULES))
    assert not [
        f"{name} imports {module}" for name in MODULES if not is_twin(name) for module in imported(name) if is_twin(module)
    ]


def test_landmark_numbers_are_stated_once() -> None:
    """A tuple or list of four and more plain numbers, all landmarks and most above 100, is a table of landmarks."""

    def is_table(node: ast.AST) -> bool:
        if not isinstance(node, ast.Tuple | ast.List) or len(node.elts) < 4:
            return False
        numbers = [part.value for part in node.elts if isinstance(part, ast.Constant) and type(part.value) is int]
        return len(numbers) == len(node.elts) and max(numbers) < LANDMARKS and sum(n > 100 for n in numbers) > len(numbers) / 2

    tables = {name for name, path in MODULES.items() if any(map(is_table, ast.walk(ast.parse(path.read_text(encoding="utf-8")))))}
    assert tables - SIMILAR == {"engine.landmark_indices"}


def public_classes(name: str) -> set[str]:
    """The classes that a module defines at its top, those that start with an underscore left out."""
    tree = ast.parse(MODULES[name].read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")}


def test_no_two_public_classes_have_one_name() -> None:
    owners: dict[str, list[str]] = {}
    for name in MODULES:
        for defined in public_classes(name):
            owners.setdefault(defined, []).append(name)
    assert not {defined: modules for defined, modules in owners.items() if len(modules) > 1}
