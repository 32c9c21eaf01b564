"""Running exported graphs: ``open_session`` and the ``GraphSession`` it gives; see docs/engines.md."""

from engine.runtime.engines import ENGINES, engine_names, installed
from engine.runtime.sessions import Check, GraphSession, available_threads, open_session

__all__ = ["ENGINES", "Check", "GraphSession", "available_threads", "engine_names", "installed", "open_session"]
