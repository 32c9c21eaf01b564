"""A portrait that moves: ``prepare`` once per photograph, ``animate`` once per frame (paper eq. 4 and 8, with the priors)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from engine.errors import AssetError
from engine.generator.edges import EdgeSmoother
from engine.generator.live import Generator, make_guide
from engine.generator.manifest import LIVE_BUNDLE
from engine.generator.render_inputs import EncodedPhotograph
from engine.head import load_head
from engine.photographs.further import FurtherPhotograph
from engine.photographs.person import PersonPhotographs
from engine.portrait import Portrait
from engine.regress.portrait import Fit, fit_portrait
from engine.resource import Resource
from engine.runtime.cache import ignore
from engine.values import Coefficients, Corrections, Picture
from engine.warp.source import SourceGeometry

SIZE_PX = 512  # of a portrait's square, and so of every picture


@dataclass(frozen=True)
class PreparedPortrait:
    """A portrait ready to be animated.

    coefficients  z_s, the portrait as it is
    fit           the head fitted to it
    person        what further photographs of the person show; None where there are none
    """

    coefficients: Coefficients
    fit: Fit
    geometry: SourceGeometry
    network: EncodedPhotograph
    person: PersonPhotographs | None = None

    def with_photographs(self, crop: Picture, further: Sequence[FurtherPhotograph]) -> PreparedPortrait:
        """The same person as further photographs show them, too; ``crop``: the first one's. At rest nothing changes."""
        if not further:
            return self
        person = PersonPhotographs(self.fit, crop, further)
        return replace(self, geometry=person.geometry, person=person)


class Animator(Resource):
    """Animates one portrait at a time. ``animate`` belongs to one thread; ``prepare`` may run on another meanwhile."""

    def __init__(
        self,
        engine: str = "auto",
        threads: int | None = None,
        say: Callable[[str], None] = ignore,
        bundle: Path = LIVE_BUNDLE,
        *,
        fixed: bool = False,
    ) -> None:
        """Loads the head and the generator in ``bundle``; about a second. Raises AssetError, ConfigError.

        ``say`` takes sentences about the engines for the user; ``fixed`` as of ``Generator``.
        """
        self._head = load_head()
        self._generator = Generator(bundle, engine=engine, threads=threads, say=say, fixed=fixed)
        if self._generator.size != SIZE_PX:
            self.close()
            raise AssetError(f"The generator in {bundle} draws {self._generator.size} px; wanted one of {SIZE_PX} px.")
        size = self._generator.guide_size
        self._guide = np.empty((1, 5, size, size), np.float32)
        self._edges = EdgeSmoother(SIZE_PX)
        self._source: PreparedPortrait | None = None

    @property
    def engine(self) -> str:
        """The name of the engine that runs the network now."""
        return self._generator.engine

    @property
    def engine_status(self) -> str:
        """The engine, and what is being built: "openvino; building tensorrt, 40 %"."""
        return self._generator.engine_status

    def close(self, timeout_s: float | None = None) -> None:
        """See ``Generator.close``."""
        self._generator.close(timeout_s)

    def prepare(self, portrait: Portrait) -> PreparedPortrait:
        """Fits the head and makes everything that is needed only once per photograph; about a second."""
        fit = fit_portrait(self._head, portrait.face, portrait.crop)
        geometry = SourceGeometry(fit.head, fit.coefficients, fit.albedo, portrait.crop)
        network = self._generator.prepare(portrait.foreground, portrait.matte, portrait.plate, portrait.crop)
        return PreparedPortrait(fit.coefficients, fit, geometry, network)

    def use(self, source: PreparedPortrait) -> None:
        """Animates this portrait from now on; instant."""
        self._source = source
        self._generator.use(source.network)

    def set_source(self, portrait: Portrait) -> PreparedPortrait:
        """``prepare`` and ``use``."""
        source = self.prepare(portrait)
        self.use(source)
        return source

    def animate(self, z: Coefficients, *, corrections: Corrections = "new") -> Picture:
        """(512, 512, 3) RGB: the portrait with the expression, pose and gaze of z_des; overwritten by the next call.

        ``corrections``: what the network does; without new ones the picture costs only its geometry.

        Raises RuntimeError before the first ``use``.
        """
        if self._source is None:
            raise RuntimeError("animate() needs a portrait: call set_source() or use() first")
        prior = self._source.geometry.prior(z)
        make_guide(prior.render, prior.coverage, prior.render_weight, self._generator.guide_size, self._guide)
        strength = motion(z, self._source.coefficients)
        picture = self._generator.generate(
            z.vector(),
            self._guide,
            prior.flow,
            prior.render,
            prior.render_weight,
            prior.components,
            prior.trust,
            corrections=corrections if strength > 0 else "none",
            strength=strength,
        )
        if self._source.person is not None:
            self._source.person.draw(picture, z, prior)
        self._edges.smooth(picture, prior.flow)
        return picture


# Motions from which on the network's corrections count fully: β, angles [rad], shifts [dm], τ.
FULL_MOTION = {"expression": 0.1, "angles": 0.035, "shift": 0.1, "gaze": 0.06}


def motion(z: Coefficients, source: Coefficients) -> float:
    """0…1, how far z_des is from what the photograph shows. What is at rest needs no corrections: there the photograph is exact,
    and stays so whatever the network has learned."""
    pose = np.abs(z.pose - source.pose)
    largest = max(
        float(np.abs(z.expression - source.expression).max()) / FULL_MOTION["expression"],
        float(pose[:3].max()) / FULL_MOTION["angles"],
        float(pose[3:].max()) / FULL_MOTION["shift"],
        float(np.abs(z.gaze - source.gaze).max()) / FULL_MOTION["gaze"],
    )
    share = min(largest, 1.0)
    return share * share * (3 - 2 * share)
