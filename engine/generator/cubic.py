"""Bicubic sampling in compiled code, all colours of a row's four taps at once: what numba's own loops do not become."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from engine.vectors import FUSED, chosen, data, filled, lane, lanes, place, prefetch, splat

COLOURS, TAPS = 4, 4  # a pixel's bytes: red, green, blue and one that is not looked at; pixels that count along an axis
ROW = COLOURS * TAPS
AHEAD = 2  # rows after the taps' that the next row of pixels will want, if they lie two points apart
_ROW_BYTES, _ROW_FLOATS = lanes(ir.IntType(8), ROW), lanes(ir.FloatType(), ROW)
_PIXEL_BYTES, _PIXEL = lanes(ir.IntType(8), COLOURS), lanes(ir.FloatType(), COLOURS)


def _sample_cubic(typing, picture, corner, stride, across, u, down, v):  # type: ignore[no-untyped-def]
    """(red, green, blue) float32 of the picture at sub-pixel step u, v, kept in 0…255.

    picture uint8, flat, four bytes a pixel. ``corner`` is the first byte of the first of the 4 × 4 taps, whose rows are
    ``stride`` bytes apart. across and down float32, flat: for each step 16 weights, each of the four taps' four times over,
    and 4 weights.
    """
    index, colours = types.uintp, types.UniTuple(types.float32, 3)  # type: ignore[no-untyped-call]
    return colours(picture, index, index, across, index, down, index), _emit_sample


def _lay_over(typing, plate, behind, share, picture, corner, stride, across, u, down, v):  # type: ignore[no-untyped-def]
    """plate + share · (picture − plate), the picture as of ``sample_cubic``; ``behind`` is the plate's pixel's first byte."""
    index, colours = types.uintp, types.UniTuple(types.float32, 3)  # type: ignore[no-untyped-call]
    return colours(plate, index, types.float32, picture, index, index, across, index, down, index), _emit


sample_cubic: Any = intrinsic(_sample_cubic)
lay_over: Any = intrinsic(_lay_over)


def _emit_sample(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    picture, across, down = (data(context, builder, signature, arguments, number) for number in (0, 3, 5))
    corner, stride, u, v = (arguments[number] for number in (1, 2, 4, 6))
    return _colours(context, builder, signature, _sampled(builder, picture, corner, stride, across, u, down, v))


def _emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    plate, picture, across, down = (data(context, builder, signature, arguments, number) for number in (0, 3, 6, 8))
    behind, share, corner, stride, u, v = (arguments[number] for number in (1, 2, 4, 5, 7, 9))
    pixel = _sampled(builder, picture, corner, stride, across, u, down, v)
    below = builder.uitofp(builder.load(place(builder, plate, behind, _PIXEL_BYTES), align=1), _PIXEL)
    over = builder.fmul(splat(builder, share, _PIXEL), builder.fsub(pixel, below), flags=FUSED)
    return _colours(context, builder, signature, builder.fadd(below, over, flags=FUSED))


def _colours(context: Any, builder: Any, signature: Any, pixel: Any) -> Any:
    return context.make_tuple(builder, signature.return_type, [lane(builder, pixel, number) for number in range(3)])


def _sampled(builder: Any, picture: Any, corner: Any, stride: Any, across: Any, u: Any, down: Any, v: Any) -> Any:
    """The pixel of ``sample_cubic``."""
    total, first = filled(_ROW_FLOATS, 0.0), builder.mul(v, v.type(TAPS))
    for j in range(TAPS):
        start = builder.add(corner, builder.mul(stride, stride.type(j)))
        taps = builder.uitofp(builder.load(place(builder, picture, start, _ROW_BYTES), align=1), _ROW_FLOATS)
        weight = builder.load(builder.gep(down, [builder.add(first, v.type(j))]))
        total = builder.fadd(total, builder.fmul(taps, splat(builder, weight, _ROW_FLOATS), flags=FUSED), flags=FUSED)
    for j in range(TAPS, TAPS + AHEAD):
        prefetch(builder, picture, builder.add(corner, builder.mul(stride, stride.type(j))))
    weights = builder.load(place(builder, across, builder.mul(u, u.type(ROW)), _ROW_FLOATS), align=4)
    return _clipped(builder, _sum_of_taps(builder, builder.fmul(total, weights)))


def _sum_of_taps(builder: Any, row: Any) -> Any:
    """Four pixels → their sum."""
    pixel = filled(_PIXEL, 0.0)
    for tap in range(TAPS):
        pixel = builder.fadd(pixel, chosen(builder, row, [COLOURS * tap + number for number in range(COLOURS)]))
    return pixel


def _clipped(builder: Any, pixel: Any) -> Any:
    """Kept within 0…255."""
    for limit, beyond in ((0.0, "<"), (255.0, ">")):
        bound = filled(_PIXEL, limit)
        pixel = builder.select(builder.fcmp_ordered(beyond, pixel, bound), bound, pixel)
    return pixel
