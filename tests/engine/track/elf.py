"""The functions that a Linux library takes from others, read from its file: what ``nm -D --undefined-only`` prints."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

DYNAMIC_SYMBOLS = 11  # SHT_DYNSYM


def imported_functions(library: Path) -> set[str]:
    """The undefined names in the dynamic symbol table of a 64-bit little-endian ELF file; raises ValueError for any other."""
    content = library.read_bytes()
    if content[:6] != b"\x7fELF\x02\x01":
        raise ValueError(f"{library} is not a 64-bit little-endian ELF file")
    return {name for table in _tables(content) for name in table}


def _tables(content: bytes) -> Iterator[set[str]]:
    start, entry_size, count = struct.unpack_from("<Q10xHH", content, 0x28)
    # type, offset in the file, size, and the number of the section that has the names
    sections = [struct.unpack_from("<4xI16xQQI", content, start + number * entry_size) for number in range(count)]
    for kind, offset, size, names in sections:
        if kind == DYNAMIC_SYMBOLS:
            symbols = struct.iter_unpack("<IBBHQQ", content[offset : offset + size])
            places = (sections[names][1] + symbol[0] for symbol in symbols if symbol[3] == 0)  # in section 0: undefined
            yield {content[place : content.index(b"\0", place)].decode() for place in places}
