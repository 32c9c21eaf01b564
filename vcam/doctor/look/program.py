"""Facts about the program's own files. Imports what they are read with: a machine without the libraries stops here."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from engine.errors import ConfigError, HifiHeadError
from engine.head import load_head
from engine.picture import refuse_unreadable
from engine.regress import resolved
from engine.regress.network import REGRESSOR, read_regressor
from engine.runtime.bundle import ASSETS, LIVE_BUNDLE, MANIFEST, read_bundle
from engine.runtime.engines import installed
from vcam.avatar import photo_path
from vcam.config import Settings
from vcam.config_file import default_path, read_settings
from vcam.demo import read_recording
from vcam.doctor.system import Model, ProgramFacts
from vcam.files import model_folder
from vcam.sinks.preview import listen

TRACKER = ASSETS / "face_landmarker.task"


def read_program(config: Path | None = None) -> ProgramFacts:
    """Settings and models as the next start would find them."""
    path = config or default_path()
    settings, settings_error = Settings(), ""
    try:
        settings = read_settings(path) if path else settings
    except ConfigError as error:
        settings_error = str(error)
    photo = photo_path(settings.avatar.photo, path)
    regressor = settings.tracking.regressor
    bundle, network = (model_folder(name, path) for name in (settings.runtime.bundle, settings.tracking.network))
    return ProgramFacts(
        settings,
        path,
        settings_error,
        engine_error="" if settings.runtime.engine == "auto" else installed(settings.runtime.engine) or "",
        bundle_error=complaint(lambda: read_bundle(bundle)) if bundle else "",
        network_error=complaint(lambda: read_regressor(network)) if network and resolved(regressor) != "landmarks" else "",
        portrait_error=complaint(lambda: refuse_unreadable(photo)),
        port_error=complaint(lambda: listen(settings.preview.port).close()),
        models=models(),
    )


def complaint(attempt: Callable[[], object]) -> str:
    """What an attempt raises, "" when it succeeds."""
    try:
        attempt()
    except HifiHeadError as error:
        return str(error)
    return ""


def models() -> tuple[Model, ...]:
    """Everything that is loaded at start, bundles with the hash of their manifest, which holds the others."""
    return (
        bundle("live", LIVE_BUNDLE / MANIFEST, lambda: read_bundle(LIVE_BUNDLE)),
        bundle("regressor", REGRESSOR / MANIFEST, lambda: read_regressor(REGRESSOR)),
        Model("head", complaint=complaint(load_head)),
        Model("tracker", complaint="" if TRACKER.is_file() else f"{TRACKER} is missing."),
        Model("recording", complaint=complaint(read_recording)),
    )


def bundle(name: str, manifest: Path, read: Callable[[], object]) -> Model:
    """An exported network, every file of it compared with its manifest."""
    try:
        sha256 = hashlib.sha256(manifest.read_bytes()).hexdigest()
    except OSError as error:
        return Model(name, "", f"{manifest} cannot be read: {error.strerror}.")
    return Model(name, sha256, complaint(read))
