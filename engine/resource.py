"""What is opened and must be closed."""

from __future__ import annotations

from types import TracebackType
from typing import Self


class Resource:
    """A context manager that closes itself at the end. ``close`` may be called more than once."""

    def close(self) -> None:
        """Frees what was opened."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
