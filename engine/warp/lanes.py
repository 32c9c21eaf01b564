"""One row of a triangle, eight pixels at once: what numba's own loops do not become for spans that short."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from engine.vectors import FUSED, data, lanes, place, splat

LANES = 8
_FLOATS, _INTS = lanes(ir.FloatType(), LANES), lanes(ir.IntType(32), LANES)
_NUMBERS = ir.Constant(_FLOATS, [float(number) for number in range(LANES)])


def _keep_nearest(typing, depth, seen, at, number, z, z_rise, wa, wa_rise, wb, wb_rise, least_a, least_b, most):  # type: ignore[no-untyped-def]
    """For i in 0…7, the pixels from index ``at`` of the flat arrays depth float32 and seen int32: where the triangle covers the
    pixel, wa + i·wa_rise ≥ least_a, wb + i·wb_rise ≥ least_b, their sum ≤ most, and is nearer, z + i·z_rise < depth:
    depth becomes that, seen becomes ``number``. The other pixels keep what they have.
    """  # fmt: skip
    return types.void(depth, seen, types.uintp, types.int32, *[types.float32] * 9), _emit


keep_nearest: Any = intrinsic(_keep_nearest)


def _emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    at, number = arguments[2:4]
    depth, seen = (
        place(builder, data(context, builder, signature, arguments, k), at, kind) for k, kind in ((0, _FLOATS), (1, _INTS))
    )
    z, z_rise, wa, wa_rise, wb, wb_rise, least_a, least_b, most = (splat(builder, x, _FLOATS) for x in arguments[4:])
    z, wa, wb = (_line(builder, *line) for line in ((z, z_rise), (wa, wa_rise), (wb, wb_rise)))
    depth_before, seen_before = builder.load(depth, align=4), builder.load(seen, align=4)
    beside_a, beside_b = builder.fcmp_ordered(">=", wa, least_a), builder.fcmp_ordered(">=", wb, least_b)
    beside_c = builder.fcmp_ordered("<=", builder.fadd(wa, wb), most)
    nearer = builder.fcmp_ordered("<", z, depth_before)
    nearest = builder.and_(builder.and_(beside_a, beside_b), builder.and_(beside_c, nearer))
    builder.store(builder.select(nearest, z, depth_before), depth, align=4)
    builder.store(builder.select(nearest, splat(builder, number, _INTS), seen_before), seen, align=4)
    return context.get_dummy_value()


def _line(builder: Any, start: Any, rise: Any) -> Any:
    """start + i · rise."""
    return builder.fadd(start, builder.fmul(_NUMBERS, rise, flags=FUSED), flags=FUSED)
