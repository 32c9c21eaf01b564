"""OBS shows the camera's state in a text, and another scene or source while no face is seen."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pydantic import ConfigDict, Field, SecretStr

from engine.errors import InputError
from engine.files import reason
from vcam.plugins import PluginContext, PluginSettings

if TYPE_CHECKING:
    from plugins.obs.link import ObsLink

PASSWORD_VARIABLE = "HIFIHEAD_OBS_PASSWORD"  # noqa: S105 — its name


class ObsSettings(PluginSettings):
    """[plugins.obs]"""

    model_config = ConfigDict(hide_input_in_errors=True)  # one of them is a password

    address: str = Field("127.0.0.1:4455", description="HOST:PORT of OBS's WebSocket server")
    lan: bool = Field(False, description="whether OBS may run on another computer")
    password: SecretStr = Field(SecretStr(""), description=f'of that server; "" = password_file, else ${PASSWORD_VARIABLE}')
    password_file: str = Field("", description="a file that holds the password; relative paths start at the settings file")
    text_source: str = Field("", description='a text source that shows the state; "" = none')
    away_scene: str = Field("", description='the scene to show while no face is seen; "" = none')
    present_scene: str = Field("", description='the scene to show after that; "" = the one before')
    away_source: str = Field("", description='a source that is visible only while no face is seen; "" = none')
    present_source: str = Field("", description='a source that is hidden while no face is seen; "" = none')
    away_after_s: float = Field(2.0, ge=0.0, le=600.0, description="seconds without a face after which OBS is told, 0…600")


class ObsPlugin:
    """Shows the camera's state in OBS, and another scene or source there while no face is seen."""

    Settings = ObsSettings

    def start(self, context: PluginContext[ObsSettings]) -> None:
        from plugins.obs.link import ObsLink, place_of  # here: it loads the library for WebSockets

        settings = context.settings
        refuse_nothing_to_do(settings)
        place = place_of(settings.address, lan=settings.lan)
        self._link: ObsLink = ObsLink(place, password(context), settings, say=context.say, now=context.now)
        context.controls.subscribe(lambda snapshot: self._link.tell(snapshot.state))

    def stop(self) -> None:
        self._link.close()


def refuse_nothing_to_do(settings: ObsSettings) -> None:
    """Raises InputError unless the settings name something to show."""
    if not any((settings.text_source, settings.away_scene, settings.away_source, settings.present_source)):
        raise InputError(
            "plugins.obs must name what OBS is to show: at least one of text_source, away_scene, away_source, present_source."
        )


def password(context: PluginContext[ObsSettings]) -> str:
    """Of the settings, else of the file, else of the environment, else "". Raises InputError when the file cannot be read."""
    settings = context.settings
    if settings.password.get_secret_value():
        return settings.password.get_secret_value()
    if not settings.password_file:
        return os.environ.get(PASSWORD_VARIABLE, "")
    path = context.path(settings.password_file)
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, ValueError) as error:
        raise InputError(f"The password of OBS cannot be read from {path}: {reason(error)}.") from error
