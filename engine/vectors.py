"""Vectors of numbers in compiled code, for loops that numba leaves one number at a time; some modules build them."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core.cgutils import get_or_insert_function

FUSED = ("contract",)  # a product may be added without being rounded first
_INDEX = ir.IntType(32)


def lanes(kind: Any, count: int) -> Any:
    """The vector type of ``count`` numbers of a kind."""
    return ir.VectorType(kind, count)


def data(context: Any, builder: Any, signature: Any, arguments: Any, number: int) -> Any:
    """Where the memory of an array argument begins."""
    return context.make_array(signature.args[number])(context, builder, arguments[number]).data


def place(builder: Any, array: Any, at: Any, kind: Any) -> Any:
    """The lanes that begin at an index of an array's memory, to be loaded or stored."""
    return builder.bitcast(builder.gep(array, [at]), kind.as_pointer())


def prefetch(builder: Any, array: Any, at: Any) -> None:
    """Asks for the memory at an index of an array, which will be read soon; past the array's end that does no harm."""
    kind = ir.FunctionType(ir.VoidType(), [array.type, _INDEX, _INDEX, _INDEX])
    function = get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")  # type: ignore[no-untyped-call]
    to_read, often, numbers = (ir.Constant(_INDEX, value) for value in (0, 3, 1))
    builder.call(function, [builder.gep(array, [at]), to_read, often, numbers])


def splat(builder: Any, value: Any, kind: Any) -> Any:
    """The same number in every lane."""
    first = builder.insert_element(ir.Constant(kind, ir.Undefined), value, ir.Constant(_INDEX, 0))
    return chosen(builder, first, [0] * kind.count)


def chosen(builder: Any, vector: Any, numbers: list[int]) -> Any:
    """The lanes of these numbers."""
    return builder.shuffle_vector(vector, vector, ir.Constant(lanes(_INDEX, len(numbers)), numbers))


def lane(builder: Any, vector: Any, number: int) -> Any:
    """One lane's number."""
    return builder.extract_element(vector, ir.Constant(_INDEX, number))


def filled(kind: Any, value: float) -> Any:
    """A constant in every lane."""
    return ir.Constant(kind, [value] * kind.count)
