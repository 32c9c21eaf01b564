"""What OBS shows of the camera's state: a text, a scene, two sources."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from plugins.obs import ObsSettings
from plugins.obs.protocol import ObsConnection, ObsRequestError

TEXT_KINDS = "text_"  # how the kinds of text sources begin: text_ft2_source_v2, text_gdiplus_v3


@dataclass(frozen=True)
class Shown:
    """What OBS is to show. ``away``: whether the face counts as lost; None = that is not known."""

    text: str
    away: bool | None


class ObsDisplay:
    """Shows it over a connection. What OBS does not have is told, once a connection, with what there is; the rest is shown."""

    def __init__(self, settings: ObsSettings, say: Callable[[str], None]) -> None:
        self._settings, self._say = settings, say
        self._told: set[str] = set()
        self._before = ""  # the scene that the one for no face has replaced

    def show(self, obs: ObsConnection, wanted: Shown, present: Shown | None) -> None:
        """``present``: what this connection has shown last; None at its beginning."""
        if present is None:
            self._told.clear()
        if present is None or wanted.text != present.text:
            self._attempt(lambda: self._write(obs, wanted.text))
        away = wanted.away
        if away is not None and (present is None or away != present.away):
            self._attempt(lambda: self._switch_scene(obs, away=away))
            self._attempt(lambda: switch_source(obs, self._settings.away_source, visible=away))
            self._attempt(lambda: switch_source(obs, self._settings.present_source, visible=not away))

    def _attempt(self, action: Callable[[], None]) -> None:
        try:
            action()
        except ObsRequestError as error:
            if str(error) not in self._told:
                self._told.add(str(error))
                self._say(str(error))

    def _write(self, obs: ObsConnection, text: str) -> None:
        name = self._settings.text_source
        if not name:
            return
        inputs = obs.request("GetInputList")["inputs"]
        names = [found["inputName"] for found in inputs if str(found["inputKind"]).startswith(TEXT_KINDS)]
        refuse_unknown("text source", name, names)
        obs.request("SetInputSettings", inputName=name, inputSettings={"text": text}, overlay=True)

    def _switch_scene(self, obs: ObsConnection, *, away: bool) -> None:
        """To the scene for no face, or back from it; a scene that the user has chosen meanwhile stays."""
        away_scene = self._settings.away_scene
        if not away_scene:
            return
        answer = obs.request("GetSceneList")
        names, current = [scene["sceneName"] for scene in answer["scenes"]], answer["currentProgramSceneName"]
        refuse_unknown("scene", away_scene, names)
        if away and current != away_scene:
            self._before = current
            obs.request("SetCurrentProgramScene", sceneName=away_scene)
        elif not away and current == away_scene:
            back = self._settings.present_scene or self._before
            if not back:
                raise ObsRequestError(
                    f"OBS shows {away_scene!r}, and no scene before it is known: choose one there, or name it as "
                    "plugins.obs.present_scene."
                )
            refuse_unknown("scene", back, names)
            obs.request("SetCurrentProgramScene", sceneName=back)


def switch_source(obs: ObsConnection, name: str, *, visible: bool) -> None:
    """Shows or hides a source in all scenes and groups that have it; "" is none."""
    if not name:
        return
    items = list(scene_items(obs))
    refuse_unknown("source", name, [source for _, source, _, _ in items])
    for scene, source, number, enabled in items:
        if source == name and enabled is not visible:
            obs.request("SetSceneItemEnabled", sceneName=scene, sceneItemId=number, sceneItemEnabled=visible)


def scene_items(obs: ObsConnection) -> Iterator[tuple[str, str, int, bool]]:
    """(scene or group, source, number, visible) of everything in OBS's scenes."""
    scenes = [(scene["sceneName"], "GetSceneItemList") for scene in obs.request("GetSceneList")["scenes"]]
    groups = [(name, "GetGroupSceneItemList") for name in obs.request("GetGroupList")["groups"]]
    for name, kind in (*scenes, *groups):
        for item in obs.request(kind, sceneName=name)["sceneItems"]:
            yield name, item["sourceName"], item["sceneItemId"], item["sceneItemEnabled"]


def refuse_unknown(what: str, name: str, names: list[str]) -> None:
    """Raises ObsRequestError, which names those there are, unless ``name`` is one of them."""
    if name not in names:
        there = ", ".join(sorted(set(names))) or "none"
        raise ObsRequestError(f"OBS has no {what} {name!r}; there are: {there}.")
