"""What holds for every plug-in that ships: its section of the settings file, its page, its summary."""

from __future__ import annotations

import pkgutil
import re

import pytest

import plugins
from tests.test_docs import ROOT
from vcam.config_file import read_settings
from vcam.plugins.registry import find_plugins, hooks_of, settings_class, the_plugin

SHIPPED = sorted(module.name for module in pkgutil.iter_modules(plugins.__path__) if not module.name.startswith("_"))
CONFIG = ROOT / "config.toml"


def test_some_ship() -> None:
    assert "background" in SHIPPED


@pytest.mark.parametrize("name", SHIPPED)
def test_its_section_of_the_settings_file_has_every_setting_with_its_default(name: str) -> None:
    kind = the_plugin(find_plugins("", None), name).load()
    assert hooks_of(kind)
    assert (kind.__doc__ or "").strip()
    model = settings_class(kind, name)
    in_file = read_settings(CONFIG).plugins.sections()[name]
    assert in_file == model().model_dump(mode="json")
    text = CONFIG.read_text(encoding="utf-8").split(f"[plugins.{name}]")[1].split("\n[")[0]
    assert len(re.findall(r"(?m)^\w+ = .+?\s# .{10,}", text)) == len(in_file)
    assert all(field.description for field in model.model_fields.values())


@pytest.mark.parametrize("name", SHIPPED)
def test_it_has_a_page_that_the_others_lead_to(name: str) -> None:
    assert (ROOT / "docs" / "plugins" / f"{name}.md").is_file()
    assert f"(plugins/{name}.md)" in (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
