"""``hifihead plugins``: which plug-ins there are, their settings, and what they cost."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pydantic_core import to_jsonable_python
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from engine.errors import HifiHeadError
from engine.files import user_path
from vcam.config import Settings
from vcam.config_file import read_settings
from vcam.config_path import default_path
from vcam.plugins.host import plugin_settings
from vcam.plugins.interface import DEFAULT_BUDGET_MS, DEFAULT_ORDER, PluginSettings
from vcam.plugins.registry import find_plugins, hooks_of, package_folders, settings_class, the_plugin
from vcam.plugins.report import read_states
from vcam.plugins.template import write_template


@dataclass
class PluginRow:
    """One plug-in as it is printed.

    state     "on", "off", or "cannot be used"; while a camera runs, as it is there
    reason    why it cannot be used, or was switched off
    ms        what it takes for a picture, the median, while a camera runs
    settings  {key: {"value", "default", "description"}}
    """

    name: str
    place: str
    state: str
    reason: str = ""
    summary: str = ""
    order: int = DEFAULT_ORDER
    budget_ms: float = DEFAULT_BUDGET_MS
    ms: float | None = None
    hooks: tuple[str, ...] = ()
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)


def list_plugins(config: Path | None, *, as_json: bool) -> None:
    """Prints every plug-in in the order in which they are asked. Those that are off are loaded, too, but not started."""
    path = config or default_path()
    settings = read_settings(path) if path else Settings()
    found = find_plugins(settings.plugins.folder, path)
    sections = settings.plugins.sections()
    rows = [row_of(name, found, sections.get(name, {})) for name in sorted({*found, *sections})]
    for state in read_states():
        for row in rows:
            if row.name == state.name:
                row.state, row.reason, row.ms = state.state, state.reason or row.reason, state.ms
    rows.sort(key=lambda row: (row.order, row.name))
    if as_json:
        Console(soft_wrap=True, highlight=False).print(
            json.dumps({"plugins": [asdict(row) for row in rows]}, indent=1), markup=False
        )
    else:
        Console().print(table(rows) if rows else "No plug-ins.")


def table(rows: list[PluginRow]) -> Table:
    """The plug-ins for people."""
    shown = Table("plug-in", "state", "ms", "budget", "order", "settings", box=None, pad_edge=False)
    for row in rows:
        settings = "\n".join(f"{key} = {setting['value']!r}  {setting['description']}" for key, setting in row.settings.items())
        about = "\n".join(text for text in (row.summary, row.reason, settings, row.place) if text)
        ms = "" if row.ms is None else f"{row.ms:.1f}"
        shown.add_row(row.name, row.state, ms, f"{row.budget_ms:g}", str(row.order), escape(about))
    return shown


def new_plugin(name: str, config: Path | None, folder: Path | None) -> None:
    """Writes a plug-in to begin with, and its test, into ``folder``, else the settings' folder, else the package's."""
    path = config or default_path()
    wanted = (read_settings(path) if path else Settings()).plugins.folder
    if folder is None:
        folder = Path(path.parent if path else "", user_path(wanted)) if wanted else Path(package_folders()[0])
    plugin, test = write_template(name, folder)
    Console(soft_wrap=True, highlight=False).print(
        f"Wrote {plugin} and {test}. Switch it on with\n\n[plugins.{name}]\nenabled = true\n\nin config.toml.", markup=False
    )


def row_of(name: str, found: dict[str, Any], section: dict[str, Any]) -> PluginRow:
    """What is to be said about one."""
    row = PluginRow(name, ", ".join(plugin.place for plugin in found.get(name, ())), "off")
    try:
        kind = the_plugin(found, name).load()
        row.summary = (kind.__doc__ or "").strip().partition("\n")[0]
        row.order, row.hooks = int(getattr(kind, "order", DEFAULT_ORDER)), hooks_of(kind)
        row.budget_ms = float(getattr(kind, "budget_ms", DEFAULT_BUDGET_MS))
        model = settings_class(kind, name)
        values, notes = plugin_settings(model, section, name)
    except HifiHeadError as error:
        row.state, row.reason = "cannot be used", str(error)
        return row
    row.state, row.reason = "on" if values.enabled else "off", " ".join(notes)
    row.settings = described(values)
    return row


def described(settings: PluginSettings) -> dict[str, dict[str, Any]]:
    """{key: {"value", "default", "description"}} of all but ``enabled``."""
    values = settings.model_dump(mode="json")
    return {
        key: {"value": values[key], "default": to_jsonable_python(field.default), "description": field.description or ""}
        for key, field in type(settings).model_fields.items()
        if key != "enabled"
    }
