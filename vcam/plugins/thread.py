"""Plug-ins are switched on, and their state is written down, on a thread of their own: loading one may take long."""

from __future__ import annotations

import threading

from engine.resource import Resource
from vcam.plugins.host import PluginHost, Sections
from vcam.plugins.report import report_states


class PluginThread(Resource):
    """Runs ``host`` from ``start`` to ``close``, which ends the plug-ins as well."""

    def __init__(self, host: PluginHost) -> None:
        self._host = host
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, sections: Sections) -> None:
        """Switches on those that the settings want; returns at once."""

        def run() -> None:
            self._host.begin(sections)
            report_states(self._host.states, self._ended)

        self._thread = threading.Thread(target=run, name="plugins")
        self._thread.start()

    def close(self) -> None:
        self._ended.set()
        self._host.close()
        if self._thread is not None:
            self._thread.join()
