"""The renderer whose picture stays on torch's device from upload to download: network and compositor, each one CUDA graph."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from engine.generator.compose_torch import Layers, blend, prior_picture
from engine.generator.flow import enlarge
from engine.generator.manifest import Bundle
from engine.generator.render_inputs import EncodedPhotograph, RenderInputs
from engine.generator.upsampling import POINTS, upsampled
from engine.generator.variants import COLOUR, FLOW, MASK
from engine.resource import Resource
from engine.runtime.device import DeviceBuffer, DeviceSession
from engine.values import Corrections, Floats, Picture


class TorchFrameRenderer(Resource):
    """A ``FrameRenderer``. What belongs to a photograph is uploaded once, when it is first drawn."""

    def __init__(self, session: DeviceSession, bundle: Bundle) -> None:
        size, lane = bundle.variant.size, session.lane
        self.engine, self._session, self._lane = session.engine, session, lane
        self._enlargement = size // bundle.variant.output_size
        self._mix = torch.from_numpy(bundle.picture_mix).to(lane.device)
        picture, plane = (1, size, size, 3), (1, 1, size, size)
        self._foreground = DeviceBuffer((1, POINTS * size, POINTS * size, 3), lane, torch.uint8)
        self._plate, self._render = (DeviceBuffer(picture, lane, torch.uint8) for _ in range(2))
        self._matte, self._weight = DeviceBuffer(plane, lane), DeviceBuffer(plane, lane)
        self._strength = DeviceBuffer((1,), lane)
        self._flow = DeviceBuffer((1, size, size, 2), lane)
        self._out, self._finite = DeviceBuffer(picture, lane, torch.uint8), DeviceBuffer((1,), lane)
        self._source: EncodedPhotograph | None = None
        self._answered = False  # whether there is an answer of the network for this photograph
        self._compose = lane.captured(self._work)

    def render(self, source: EncodedPhotograph, inputs: RenderInputs, corrections: Corrections = "new") -> Picture:
        """See ``FrameRenderer.render``."""
        with torch.inference_mode(), self._lane.entered():
            if source is not self._source:
                self._take(source)
            self._flow.upload(inputs.flow[None])
            self._render.upload(inputs.render[None])
            self._weight.upload(inputs.render_weight[None, None])
            self._strength.upload(np.array([inputs.strength], np.float32))
            if corrections == "none":
                self._session.answers["state"].tensor.zero_()
                self._answered = False
            elif corrections == "new" or not self._answered:
                self._upload(inputs.feeds)
                self._session.launch()
                self._answered = True
            self._compose()
            self._out.download()
            self._finite.download()
        self._lane.finish()
        if not self._finite.array[0]:
            raise ArithmeticError("the network gave values that are not finite")
        return np.asarray(self._out.array[0], np.uint8)

    def close(self) -> None:
        """See ``FrameRenderer.close``."""
        self._session.close()

    def _take(self, source: EncodedPhotograph) -> None:
        """Uploads a photograph."""
        self._source, self._answered = None, False
        self._foreground.upload(upsampled(source.foreground)[None])
        self._plate.upload(source.plate[None])
        self._matte.upload(np.clip(source.matte, 0, 1)[None, None])
        self._upload(source.features)
        self._source = source

    def _upload(self, feeds: Mapping[str, Floats]) -> None:
        """To the network's inputs, of those that it reads."""
        for name, values in feeds.items():
            if name in self._session.ports:
                self._session.ports[name].upload(values)

    def _work(self) -> None:
        """out = (1 − s)·mix·P + c on the buffers, to levels."""
        with torch.inference_mode():
            state = self._session.answers["state"].tensor
            self._finite.tensor.copy_(torch.isfinite(state).all())
            state = enlarge(state * self._strength.tensor, self._enlargement)
            layers = Layers(_unit(self._foreground), self._matte.tensor, _unit(self._plate))
            flow = self._flow.tensor.permute(0, 3, 1, 2) + state[:, FLOW]
            picture = prior_picture(layers, flow, _unit(self._render), self._weight.tensor)
            image = blend(picture, state[:, COLOUR], state[:, MASK], self._mix)
            levels = ((image + 1) * 127.5).round().clamp(0, 255)
            self._out.tensor.copy_(levels.permute(0, 2, 3, 1))


def _unit(port: DeviceBuffer) -> torch.Tensor:
    """(1, S, S, 3) levels → (1, 3, S, S), −1…1."""
    return port.tensor.permute(0, 3, 1, 2).float() / 127.5 - 1
