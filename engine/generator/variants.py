"""The generator's variants: one architecture, frozen numbers."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import Any

from engine.components import Side
from engine.values import COEFFICIENTS

SOURCE_CHANNELS = 3
GUIDE_CHANNELS = 5  # I_3D (RGB), coverage of the head mesh, render weight k
COLOUR, FLOW, MASK = slice(0, 3), slice(3, 5), slice(5, 6)  # channels of the state that the FAR blocks add up
STATE_CHANNELS = 6
REFINER_CHANNELS = 7  # of a window that the refiner sees: the composed picture and I_3D (RGB), k
REFINED_CHANNELS = 4  # of its answer: colour c, suppression s


@dataclass(frozen=True)
class Variant:
    """The shape of one generator. Sizes in pixels; every resolution is a power of two times the first.

    size           side of the picture
    blocks         (resolution, width of F_inter) of each FAR block, coarse to fine; one of its predecessor's resolution refines
    feature_share  width of F_s and of F_3D, as a share of F_inter's at that resolution (rounded down to 8, at least 8)
    convs          StyleConvs per block, the first of which is up-sampled (bilinear); the first block has one, as in StyleGAN2
    latent         width of w
    guide_size     side of the guide (I_3D, coverage, render weight)
    sub_pixels     the last block's heads write sub_pixels² points per feature
    mask           the state has a sixth channel s, with which the network suppresses the picture prior: out = (1 − s)·P + c;
                   without it P enters the last tRGB as three more source channels
    flow_prior     block i warps with prior_i + f^i instead of f^i alone
    picture_prior  the photograph itself, warped at full resolution, is what the network corrects
    refiner        widths of the refiner's scales, fine to coarse; empty without one
    mouth, eye     width and height of the windows that it refines [px], multiples of 8
    flow           False is ablation A of the paper: no flow field, F_s is concatenated as it lies (then without flow_prior)
    """

    name: str
    size: int
    blocks: tuple[tuple[int, int], ...]
    feature_share: float
    convs: int
    latent: int
    guide_size: int
    sub_pixels: int
    mask: bool
    flow_prior: bool = True
    picture_prior: bool = True
    flow: bool = True
    refiner: tuple[int, ...] = ()
    mouth: Side = (0, 0)
    eye: Side = (0, 0)

    @property
    def resolutions(self) -> tuple[int, ...]:
        """The resolutions at which the encoders give features, coarse to fine."""
        return tuple(sorted({resolution for resolution, _ in self.blocks}))

    @property
    def top(self) -> int:
        """The last block's resolution; the flow prior enters the network at this one."""
        return self.blocks[-1][0]

    @property
    def output_size(self) -> int:
        """Side of the state (c, f, s) that the network hands to the compositor."""
        return self.top * self.sub_pixels

    @property
    def has_mask(self) -> bool:
        """Whether the state has the channel s; without the picture prior there is nothing to suppress."""
        return self.mask and self.picture_prior

    @property
    def has_refiner(self) -> bool:
        """Whether mouth and eyes are refined; without the picture prior there is no picture to refine."""
        return bool(self.refiner) and self.picture_prior

    @property
    def guide_channels(self) -> int:
        """How many of the guide's channels are used: without the picture prior only the paper's I_3D."""
        return GUIDE_CHANNELS if self.picture_prior else 3

    @property
    def windows(self) -> tuple[Side, Side, Side]:
        """Width and height of the windows of ``engine.components.COMPONENTS``."""
        return self.mouth, self.eye, self.eye

    @property
    def graphs(self) -> tuple[str, ...]:
        """The graphs that are exported."""
        return ("source", "frame", "refiner") if self.has_refiner else ("source", "frame")

    def inputs(self, graph: str) -> dict[str, tuple[int, ...]]:
        """Name → shape of what one of ``graphs`` is fed, in its order: the photograph; z, the guide, the flow prior and F_s; or
        what the refiner sees of one picture, the mouth's window and both eyes'."""
        if graph == "source":
            return {"photo": (1, SOURCE_CHANNELS, self.size, self.size)}
        if graph == "refiner":
            (mouth_width, mouth_height), (eye_width, eye_height) = self.mouth, self.eye
            channels = REFINER_CHANNELS
            return {"mouth": (1, channels, mouth_height, mouth_width), "eyes": (2, channels, eye_height, eye_width)}
        shapes: dict[str, tuple[int, ...]] = {
            "z": (1, COEFFICIENTS),
            "guide": (1, GUIDE_CHANNELS, self.guide_size, self.guide_size),
        }
        shapes |= {"prior": (1, 2, self.top, self.top)} if self.flow_prior else {}
        return shapes | {f"source_{r}": (1, self.feature_width(r), r, r) for r in self.resolutions}

    def feature_width(self, resolution: int) -> int:
        """Channels of F_s and of F_3D at ``resolution``."""
        width = next(width for block, width in self.blocks if block == resolution)
        return max(8, int(width * self.feature_share) // 8 * 8)

    def to_json(self) -> str:
        """The variant as one line, as it is stored in an exported graph."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> Variant:
        """The inverse of ``to_json``."""
        values: dict[str, Any] = json.loads(text)
        values["blocks"] = tuple((resolution, width) for resolution, width in values["blocks"])
        values |= {name: tuple(values[name]) for name in ("refiner", "mouth", "eye")}
        return Variant(**values)


# Paper, section 3.2: StyleGAN2 config F at 512², encoders of 7 down-sampling convolutions (512 → 4).
PAPER = Variant(
    name="paper",
    size=512,
    blocks=((4, 512), (8, 512), (16, 512), (32, 512), (64, 512), (128, 256), (256, 128), (512, 64)),
    feature_share=1.0,
    convs=2,
    latent=512,
    guide_size=512,
    sub_pixels=1,
    mask=False,
)

# For two ordinary CPU cores; how the widths were chosen: docs/generator.md.
LIVE = Variant(
    name="live",
    size=512,
    blocks=((4, 96), (8, 96), (16, 96), (32, 64), (64, 48), (64, 32)),
    feature_share=0.5,
    convs=1,
    latent=128,
    guide_size=128,
    sub_pixels=2,
    mask=True,
    refiner=(16, 32, 64),
    mouth=(128, 96),
    eye=(96, 64),
)

# The same code in a second of test time.
TINY_PAPER = replace(PAPER, name="tiny-paper", size=16, blocks=((4, 16), (8, 16), (16, 8)), latent=16, guide_size=16)
TINY_LIVE = replace(
    LIVE,
    name="tiny-live",
    size=32,
    blocks=((4, 16), (8, 16), (8, 16)),
    latent=16,
    guide_size=16,
    refiner=(8, 8, 8),
    mouth=(16, 8),
    eye=(8, 8),
)

VARIANTS = {variant.name: variant for variant in (PAPER, LIVE, TINY_PAPER, TINY_LIVE)}
