"""Gathers the facts about the program: settings, models, log. Importing this raises ImportError where libraries are missing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from engine.errors import ConfigError, HifiHeadError
from engine.generator.manifest import LIVE_BUNDLE, read_bundle
from engine.head import load_head
from engine.manifest import ASSETS, MANIFEST
from engine.regress import resolved
from engine.regress.network import REGRESSOR, read_regressor
from engine.runtime.engines import installed
from vcam.avatars.avatar import photo_path
from vcam.avatars.pictures import refuse_unusable
from vcam.config import Settings
from vcam.config_file import read_settings
from vcam.config_path import default_path
from vcam.doctor.facts import ModelFacts, ProgramFacts
from vcam.files import model_folder
from vcam.log import LogFile, log_path
from vcam.processes import running
from vcam.sources.recording import read_demo
from vcam.web.server import listen

TRACKER = ASSETS / "face_landmarker.task"


def read_program(config: Path | None = None) -> ProgramFacts:
    """Settings, models and log as the next start will find them."""
    path = config or default_path()
    settings, settings_error = Settings(), ""
    try:
        settings = read_settings(path) if path else settings
    except ConfigError as error:
        settings_error = str(error)
    regressor = settings.tracking.regressor
    bundle, network = (model_folder(name, path) for name in (settings.runtime.bundle, settings.tracking.network))
    return ProgramFacts(
        settings,
        path,
        settings_error,
        engine_error="" if settings.runtime.engine == "auto" else installed(settings.runtime.engine) or "",
        bundle_error=error_of(lambda: read_bundle(bundle)) if bundle else "",
        network_error=error_of(lambda: read_regressor(network)) if network and resolved(regressor) != "landmarks" else "",
        portrait_error=error_of(lambda: refuse_unusable(photo_path(settings.avatar.photo, path))),
        port_error=error_of(lambda: listen(settings.preview.port).close()),
        running=running(),
        models=models(),
        log_file=log_path(),
        log_error=log_error(log_path()),
    )


def error_of(attempt: Callable[[], object]) -> str:
    """The sentence of the error that ``attempt`` raises; "" when it succeeds."""
    try:
        attempt()
    except HifiHeadError as error:
        return str(error)
    return ""


def log_error(path: Path) -> str:
    """Why the log file cannot be opened, as a sentence; "" when it can."""
    try:
        LogFile(path).close()
    except OSError as error:
        return f"{path} cannot be written: {error.strerror}."
    return ""


def models() -> tuple[ModelFacts, ...]:
    """Everything that is loaded at start; of bundles the hash of the manifest, which holds the hashes of their files."""
    return (
        bundle("live", LIVE_BUNDLE / MANIFEST, lambda: read_bundle(LIVE_BUNDLE)),
        bundle("regressor", REGRESSOR / MANIFEST, lambda: read_regressor(REGRESSOR)),
        ModelFacts("head", error=error_of(load_head)),
        ModelFacts("tracker", error="" if TRACKER.is_file() else f"{TRACKER} is missing."),
        ModelFacts("recording", error=error_of(read_demo)),
    )


def bundle(name: str, manifest: Path, read: Callable[[], object]) -> ModelFacts:
    """An exported network, every file of it compared with its manifest."""
    try:
        sha256 = hashlib.sha256(manifest.read_bytes()).hexdigest()
    except OSError as error:
        return ModelFacts(name, "", f"{manifest} cannot be read: {error.strerror}.")
    return ModelFacts(name, sha256, error_of(read))
