"""Bundles, exported once for all tests that read them."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from engine.generator.far import FarGenerator
from engine.generator.variants import Variant
from tests.engine.generator import scenes
from trainer.generator.export import write_bundle


@cache
def bundle(variant: Variant, *, trained: bool = True) -> tuple[FarGenerator, Path]:
    """A generator and the folder of its bundle, which is not to be changed; its heads are not zero if ``trained``."""
    folder = Path(tempfile.mkdtemp(prefix="hifihead-bundle-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    generator = scenes.made(variant, trained=trained)
    write_bundle(generator, folder, training=None)
    return generator, folder
