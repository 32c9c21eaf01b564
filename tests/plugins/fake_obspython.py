"""The part of OBS's module ``obspython`` that the script uses. Data are dictionaries; what is to be released is counted."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import ModuleType
from typing import Any


class FakeObsPython(ModuleType):
    """``sources``: {name: (kind, settings)}; ``scenes``: {name: names of its sources}; ``held``: what was not released."""

    OBS_TEXT_INFO, OBS_PATH_FILE, OBS_PATH_DIRECTORY, OBS_COMBO_TYPE_LIST, OBS_COMBO_FORMAT_STRING = range(5)

    def __init__(self) -> None:
        super().__init__("obspython")
        self.sources: dict[str, tuple[str, dict[str, Any]]] = {}
        self.scenes: dict[str, list[str]] = {"Live": [], "Next": []}
        self.studio = False
        self.held = 0
        self.timers: list[Callable[[], None]] = []
        self.hotkeys: list[tuple[str, Callable[[bool], None]]] = []

    def press(self, hotkey: str) -> None:
        """Both edges of a hot key."""
        (action,) = (action for name, action in self.hotkeys if name == hotkey)
        action(True)
        action(False)

    def timer_add(self, action: Callable[[], None], _ms: int) -> None:
        self.timers.append(action)

    def timer_remove(self, action: Callable[[], None]) -> None:
        self.timers.remove(action)

    # data

    def obs_data_create_from_json(self, text: str) -> dict[str, Any]:
        self.held += 1
        return dict(json.loads(text))

    def obs_data_release(self, _data: Any) -> None:
        self.held -= 1

    def obs_data_get_string(self, data: dict[str, Any], name: str) -> str:
        return str(data.get(name, ""))

    def obs_data_set_string(self, data: dict[str, Any], name: str, value: str) -> None:
        data[name] = value

    def obs_data_get_bool(self, data: dict[str, Any], name: str) -> bool:
        return bool(data.get(name, False))

    def obs_data_get_array(self, data: dict[str, Any], name: str) -> Any:
        self.held += 1
        return data.get(name)

    def obs_data_set_array(self, data: dict[str, Any], name: str, keys: Any) -> None:
        data[name] = keys

    def obs_data_array_release(self, _keys: Any) -> None:
        self.held -= 1

    def obs_hotkey_register_frontend(self, name: str, _description: str, action: Callable[[bool], None]) -> int:
        self.hotkeys.append((name, action))
        return len(self.hotkeys)

    def obs_hotkey_load(self, hotkey: int, keys: Any) -> None:
        pass

    def obs_hotkey_save(self, hotkey: int) -> Any:
        self.held += 1
        return [f"keys of {self.hotkeys[hotkey - 1][0]}"]

    # sources

    def obs_get_source_by_name(self, name: str) -> str | None:
        self.held += name in self.sources
        return name if name in self.sources else None

    def obs_source_create(self, kind: str, name: str, settings: dict[str, Any], _keys: None) -> str:
        self.held += 1
        self.sources[name] = (kind, settings)
        return name

    def obs_source_update(self, source: str, settings: dict[str, Any]) -> None:
        self.sources[source] = (self.sources[source][0], settings)

    def obs_source_release(self, _source: str) -> None:
        self.held -= 1

    def obs_frontend_preview_program_mode_active(self) -> bool:
        return self.studio

    def obs_frontend_get_current_scene(self) -> str:
        self.held += 1
        return "Live"

    def obs_frontend_get_current_preview_scene(self) -> str:
        self.held += 1
        return "Next"

    def obs_scene_from_source(self, scene: str) -> str:
        return scene

    def obs_scene_find_source(self, scene: str, name: str) -> str | None:
        return name if name in self.scenes[scene] else None

    def obs_scene_add(self, scene: str, source: str) -> None:
        self.scenes[scene].append(source)

    # properties: {name: [description, {what can be chosen}]}

    def obs_properties_create(self) -> dict[str, list[Any]]:
        return {}

    def obs_properties_get(self, properties: dict[str, list[Any]], name: str) -> list[Any]:
        return properties[name]

    def _add(self, properties: dict[str, list[Any]], name: str, description: str, *_: Any) -> list[Any]:
        properties[name] = [description, {}]
        return properties[name]

    obs_properties_add_text = obs_properties_add_button = obs_properties_add_path = _add
    obs_properties_add_list = obs_properties_add_bool = _add

    def obs_property_set_modified_callback(self, prop: list[Any], action: Callable[..., bool]) -> None:
        prop.append(action)

    def obs_property_set_description(self, prop: list[Any], description: str) -> None:
        prop[0] = description

    def obs_property_list_clear(self, prop: list[Any]) -> None:
        prop[1].clear()

    def obs_property_list_add_string(self, prop: list[Any], name: str, value: str) -> None:
        prop[1][name] = value
