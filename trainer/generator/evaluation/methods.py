"""What is evaluated: ways to draw a person in another moment, from the trivial to the trained."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import numpy as np
import torch

from engine.errors import InputError
from engine.generator.compose_torch import Layers, RenderInputsTorch
from engine.generator.far import FarGenerator, Output
from engine.generator.live import Generator, make_guide
from engine.generator.upsampling import upsampled
from engine.values import Coefficients, Picture
from engine.warp.prior import Prior
from trainer.data.shards import CROP_PX
from trainer.generator.evaluation.models import as_picture, as_tensor
from trainer.generator.subject import SourceSubject

Draw = Callable[[Coefficients, Prior], Picture]  # z_des and its prior → (512, 512, 3), the caller's own
Method = Callable[[SourceSubject], Draw]

COPIED, GEOMETRY = "source copied", "pure geometry"
ENGINE = "onnxruntime"  # the same on every machine


def copied(subject: SourceSubject) -> Draw:
    """The source as it is."""
    return lambda z, prior: subject.crop


def geometry(subject: SourceSubject) -> Draw:
    """What the engine shows before anything is learned."""
    return lambda z, prior: subject.picture(prior)


class BundleMethod:
    """An exported bundle, run as the camera runs it, by one engine throughout. A context manager."""

    def __init__(self, folder: Path) -> None:
        """Raises AssetError for a bundle that is damaged or unsuited, InputError for one of another size."""
        self._generator = Generator(folder, engine=ENGINE, fixed=True)
        try:
            _require_size(self._generator.size, folder)
        except InputError:
            self.close()
            raise

    def close(self) -> None:
        """Closes the generator; may be called again."""
        self._generator.close()

    def __enter__(self) -> BundleMethod:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __call__(self, subject: SourceSubject) -> Draw:
        generator = self._generator
        source = generator.prepare(subject.foreground, subject.matte, subject.plate, subject.crop)

        def draw(z: Coefficients, prior: Prior) -> Picture:
            generator.use(source)
            guide = make_guide(prior.render, prior.coverage, prior.render_weight, generator.guide_size)
            return generator.generate(z.vector(), guide, prior.flow, prior.render, prior.render_weight, prior.components).copy()

        return draw


class TorchMethod:
    """A generator in torch, as it is trained."""

    def __init__(self, generator: FarGenerator, path: Path) -> None:
        """Raises InputError for one of another size; ``path`` is for the message."""
        _require_size(generator.variant.size, path)
        self.generator = generator

    def __call__(self, subject: SourceSubject) -> Draw:
        return lambda z, prior: as_picture(self.output(subject, z, prior).image)

    @torch.inference_mode()
    def output(self, subject: SourceSubject, z: Coefficients, prior: Prior) -> Output:
        """Everything that the network gives for one moment."""
        output: Output = self.generator(as_tensor(subject.crop), layers_of(subject), drive_of(z, prior))
        return output


def layers_of(subject: SourceSubject) -> Layers:
    """A person's photograph as the generator takes it, batch of one."""
    matte = torch.from_numpy(subject.matte)[None, None]
    return Layers(as_tensor(upsampled(subject.foreground)), matte, as_tensor(subject.plate))


def drive_of(z: Coefficients, prior: Prior) -> RenderInputsTorch:
    """z_des and its prior likewise."""
    coverage, weight = (torch.from_numpy(plane.astype(np.float32))[None, None] for plane in (prior.coverage, prior.render_weight))
    flow = torch.from_numpy(prior.flow.transpose(2, 0, 1).copy())[None]
    components = torch.from_numpy(prior.components.copy())[None]
    return RenderInputsTorch(torch.from_numpy(z.vector())[None], flow, as_tensor(prior.render), coverage, weight, components)


def _require_size(size: int, path: Path) -> None:
    if size != CROP_PX:
        raise InputError(f"{path} draws pictures of {size} px; wanted a generator of {CROP_PX} px, live or paper.")
