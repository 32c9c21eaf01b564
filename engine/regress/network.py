"""The learned regressor: a tight crop of the face through an exported network → z (paper eq. 1). Needs no torch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from engine.crop import cut
from engine.head import OPEN_HEAD, HeadModel
from engine.manifest import ASSETS, file_sha256, read_manifest, require_graph, require_head, write_manifest
from engine.regress.crops import carry_pose, crop_of, nearby, steadied
from engine.regress.landmarks import MAX_GAZE, LandmarkBasis
from engine.resource import Resource
from engine.runtime.engines import BuildContext
from engine.runtime.selection import EngineSelector
from engine.runtime.sessions import Check, GraphSession, open_session, probe
from engine.values import COEFFICIENTS, EXPRESSION_NAMES, FACE_POINTS, Coefficients, Face, Floats, Picture, Square

REGRESSOR = ASSETS / "regressor"
KIND, GRAPH = "regressor", "network.onnx"
REMEDY = "Correct tracking.network, install the program again, or choose the landmark regressor."
FORMAT = 2  # of the manifest
INPUT, OUTPUT = "picture", "z"
CARRIED = 4  # one of so many landmark points is enough to carry a pose from crop to crop


@dataclass(frozen=True)
class RegressorBundle:
    """An exported network whose file is what its manifest says.

    size_px       of its picture
    share (261,)  0…1, how far each coefficient is to be believed against the landmarks' (``engine.regress.joint``)
    """

    folder: Path
    size_px: int
    share: Floats
    check: Check

    def open(self, engine: str = "auto", *, threads: int | None = None, context: BuildContext | None = None) -> GraphSession:
        """A self-tested session; raises ConfigError, AssetError."""
        return open_session(self.folder / GRAPH, engine, threads=threads, check=self.check, context=context)


def write_regressor_manifest(folder: Path, size_px: int, answers: Floats, share: Floats) -> None:
    """Describes the graph in ``folder``; ``answers`` are the self-test's values, ``share`` as of ``RegressorBundle``."""
    content = {
        "head_sha256": file_sha256(OPEN_HEAD),
        "size_px": size_px,
        "sha256": file_sha256(folder / GRAPH),
        "share": [round(float(value), 2) for value in share],
        "self_test": [round(float(value), 5) for value in answers],
    }
    write_manifest(folder, FORMAT, content)


def read_regressor(folder: Path = REGRESSOR) -> RegressorBundle:
    """Reads the manifest and compares every file with it; raises AssetError."""
    with read_manifest(folder, KIND, FORMAT, REMEDY) as content:
        require_graph(folder / GRAPH, content["sha256"])
        require_head(folder, KIND, content["head_sha256"])
        size_px = int(content["size_px"])
        check = Check({OUTPUT: np.array(content["self_test"], np.float32)}, {INPUT: (1, 3, size_px, size_px)})
        share = np.array(content["share"], np.float32)
        if share.shape != (COEFFICIENTS,) or not ((share >= 0) & (share <= 1)).all():
            raise ValueError(f"share must be {COEFFICIENTS} numbers in 0…1, got the shape {share.shape}")
        return RegressorBundle(folder, size_px, share, check)


def session_selector(bundle: RegressorBundle, engine: str, threads: int | None, *, fixed: bool) -> EngineSelector[GraphSession]:
    """The selector of the network's sessions."""

    def answer(session: GraphSession) -> Floats:
        answered: Floats = session.run(probe(session.inputs))[OUTPUT].copy()
        return answered

    peak = max(1.0, float(np.ptp(bundle.check.expected[OUTPUT])))
    return EngineSelector(
        engine,
        lambda name, context: bundle.open(name, threads=threads, context=context),
        answer,
        peak=peak,
        fixed=fixed,
    )


class NetworkRegressor(Resource):
    """z of every frame by itself; the interface of ``engine.regress.landmarks.LandmarkRegressor``.

    Texture and light are what the network sees; α is of the moment.
    The crop stays where it is while the face hardly moves: less jitter. ``share`` is the bundle's.
    """

    def __init__(
        self,
        head: HeadModel,
        folder: Path = REGRESSOR,
        engine: str = "auto",
        threads: int | None = None,
        *,
        fixed: bool = False,
    ) -> None:
        """Loads the network; a quarter of a second. Raises AssetError, ConfigError.

        ``fixed`` as of ``EngineSelector``.
        """
        bundle = read_regressor(folder)
        self._size, self.share = bundle.size_px, bundle.share
        self._basis = LandmarkBasis.of(head)
        self._selector = session_selector(bundle, engine, threads, fixed=fixed)
        self._crop: Square | None = None
        self._input = np.empty((1, 3, self._size, self._size), np.float32)

    @property
    def engine(self) -> str:
        """The name of the engine that runs the network."""
        return self._selector.engine

    def meet(self, image: Picture, face: Face, square: Square) -> None:
        """Forgets where the last face was; there is nothing else to learn of a new person."""
        self._crop = None

    def regress(self, image: Picture, face: Face, square: Square) -> Coefficients:
        """z of a frame, p relative to the camera of ``square``."""
        crop = self._crop = steadied(self._crop, crop_of(face))
        z = self.look(cut(*nearby(image, crop), self._size))
        points = self._basis.shape(z.identity, z.expression)[:FACE_POINTS:CARRIED]
        return replace(z, pose=carry_pose(points, z.pose, crop, square))

    def close(self, timeout_s: float | None = None) -> None:
        """See ``engine.regress.Regressor``."""
        self._selector.close(timeout_s)

    def look(self, crop: Picture) -> Coefficients:
        """z of a tight crop (S, S, 3), p relative to its own camera; expression and gaze kept to what faces can do."""
        np.multiply(crop.transpose(2, 0, 1)[None], 1 / 127.5, out=self._input, dtype=np.float32)
        self._input -= 1
        z = Coefficients.from_vector(self._selector.run(lambda session: session.run({INPUT: self._input})[OUTPUT][0].copy()))
        named = len(EXPRESSION_NAMES)
        expression = np.concatenate([z.expression[:named].clip(0, 1), z.expression[named:]])
        return replace(z, expression=expression, gaze=z.gaze.clip(-MAX_GAZE, MAX_GAZE))
