"""One decoded frame of a video → the picture that a player shows: its colours, its shape, and which way up."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
from av.sidedata.sidedata import Type as SideData
from av.video.reformatter import ColorPrimaries, ColorTrc, VideoReformatter

from engine.values import Picture

HIGH_DYNAMIC_RANGE = (ColorTrc.SMPTE2084.value, ColorTrc.ARIB_STD_B67.value)  # PQ and HLG
UNDER_ALPHA = 128  # grey below what is transparent
PLAUSIBLE_ASPECT = Fraction(1, 8), Fraction(8)  # a pixel's width to its height; files with others are wrong about it
CODED_RGB = 0  # AVCOL_SPC_RGB


def shown(frame: av.VideoFrame, pixel_aspect: Fraction, converter: VideoReformatter) -> Picture:
    """RGB uint8 (H, W, 3): pixels made square, high dynamic range mapped to sRGB, alpha over grey, the display matrix applied.

    ``converter``: one for all frames of a video. It keeps its tables, which for high dynamic range take it seconds to make.
    """
    low, high = PLAUSIBLE_ASPECT
    aspect = pixel_aspect if low <= pixel_aspect <= high else Fraction(1)
    size = (round(frame.width * max(aspect, Fraction(1))), round(frame.height / min(aspect, Fraction(1))))
    return oriented(rgb(frame, *size, converter), display_matrix(frame))


def rgb(frame: av.VideoFrame, width_px: int, height_px: int, converter: VideoReformatter) -> Picture:
    """The frame at this size as RGB, as it was recorded."""
    if any(component.is_alpha for component in frame.format.components):
        layers = np.asarray(converter.reformat(frame, width_px, height_px, "rgba").to_ndarray(), np.float32)
        alpha = layers[..., 3:] / 255
        return np.asarray(layers[..., :3] * alpha + UNDER_ALPHA * (1 - alpha) + 0.5, np.uint8)
    if frame.color_trc in HIGH_DYNAMIC_RANGE and frame.colorspace != CODED_RGB:
        transfer, primaries = ColorTrc.IEC61966_2_1, ColorPrimaries.BT709
        converted = converter.reformat(frame, width_px, height_px, "rgb24", dst_color_trc=transfer, dst_color_primaries=primaries)
    else:
        converted = converter.reformat(frame, width_px, height_px, "rgb24")
    return np.asarray(converted.to_ndarray(), np.uint8)


def display_matrix(frame: av.VideoFrame) -> tuple[int, int, int, int]:
    """(a, b, c, d): x of the recording goes along (a, b) of what is shown, y along (c, d); x is right, y down."""
    data = frame.side_data.get(SideData.DISPLAYMATRIX)  # type: ignore[call-overload]
    if data is None:
        return 1, 0, 0, 1
    a, b, _, c, d, *_ = np.frombuffer(bytes(data), np.int32).tolist()
    return a, b, c, d


def oriented(image: Picture, matrix: tuple[int, int, int, int]) -> Picture:
    """The picture turned by the nearest multiple of 90° and mirrored as ``display_matrix`` says."""
    a, b, c, d = matrix
    lying = abs(b) + abs(c) > abs(a) + abs(d)
    across, down = (c, b) if lying else (a, d)
    turned = image.transpose(1, 0, 2) if lying else image
    return np.ascontiguousarray(turned[:: -1 if down < 0 else 1, :: -1 if across < 0 else 1])
