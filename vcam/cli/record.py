"""``hifihead record``: what a motion source sees, as a recording; nothing is drawn."""

from __future__ import annotations

from pathlib import Path

from vcam.build import Builder
from vcam.config import Settings
from vcam.config_file import read_settings, with_changes
from vcam.config_path import default_path
from vcam.motion_sinks.recording import RecordingSink
from vcam.signals import ending

WAIT_S = 0.1


def record(
    out: Path, *, camera: str | None, seconds: float | None, config: Path | None, make_builder: type[Builder] = Builder
) -> None:
    """Records until ``seconds`` have passed, Ctrl-C, SIGTERM or SIGHUP. Raises HifiHeadError."""
    with ending() as ended:
        path = config or default_path()
        in_file = read_settings(path) if path else Settings()
        changes = {"camera": {} if camera is None else {"source": camera}}
        builder = make_builder(with_changes(in_file, changes, "The command line"), path)
        with builder.open_sources() as source, RecordingSink(out) as sink:
            source.prepare()
            source.start()
            builder.messages.say(f"Recording {source.name} into {out}; Ctrl-C ends.")
            start_s = builder.clock.now()
            while not ended.is_set() and (seconds is None or builder.clock.now() - start_s < seconds):
                sink.send(source.take(WAIT_S))
            builder.messages.say(f"Wrote {out}: {sink.writer.moments} moments in {builder.clock.now() - start_s:.0f} s.")
