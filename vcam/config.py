"""The settings: what exists, in which unit and range, and its default. ``config.toml`` holds the same with the same defaults.

Settings marked ``LIVE`` take effect while the camera runs, the others at the next start.
"""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator
from pydantic_core import PydanticCustomError

from vcam import motion_sinks, sinks, sources

LIVE = "live"
ON_BY_DEFAULT = ("disclosure",)  # plug-ins


class Section(BaseModel):
    """Strict: an unknown key or another type is an error; frozen: settings never change in place."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def text(value: Any) -> str:
    """Text that may be the name of a file, also of one whose name is not UTF-8, which pydantic's own check refuses."""
    if not isinstance(value, str):
        raise PydanticCustomError("string_type", "wanted text")
    return value


def not_empty(setting: str) -> str:
    """The setting itself."""
    if not setting:
        raise PydanticCustomError("string_too_short", "wanted text that is not empty")
    return setting


def known_sink(setting: str) -> str:
    """The setting itself when ``sinks.SINKS`` has it; what is registered later counts as well."""
    if not sinks.accepts(setting):
        raise PydanticCustomError("unknown_sink", "{wanted}", {"wanted": " or ".join(sinks.setting_values().split("|"))})
    return setting


def known_streams(settings: list[str]) -> list[str]:
    """The setting itself when ``sources.SOURCES`` has every stream of it."""
    for setting in settings:
        if not sources.is_stream(setting):
            raise PydanticCustomError(
                "unknown_stream", "{wanted}", {"wanted": f"a list of {' or '.join(sources.stream_names())}"}
            )
    return settings


def known_motion_sinks(settings: list[str]) -> list[str]:
    """The setting itself when ``motion_sinks.MOTION_SINKS`` has every one of it."""
    for setting in settings:
        if not motion_sinks.accepts(setting):
            wanted = f"a list of {' or '.join(motion_sinks.setting_values())}"
            raise PydanticCustomError("unknown_motion_sink", "{wanted}", {"wanted": wanted})
    return settings


def address(setting: str) -> str:
    """The setting itself when it is an IPv4 address or empty."""
    try:
        return str(IPv4Address(setting)) if setting else ""
    except ValueError as error:
        raise PydanticCustomError("address", 'an IPv4 address, e.g. "192.168.1.20", or ""') from error


Gain = Annotated[float, Field(ge=0.0, le=3.0), LIVE]
AxisGain = Annotated[float, Field(ge=-3.0, le=3.0), LIVE]
Share = Annotated[float, Field(ge=0.0, le=1.0), LIVE]
Fps = Annotated[int, Field(ge=5, le=60)]


class AvatarSettings(Section):
    photo: Annotated[str, PlainValidator(text), LIVE] = ""


class CameraSettings(Section):
    source: Annotated[str, PlainValidator(text), AfterValidator(not_empty), LIVE] = "auto"
    width_px: Annotated[int, Field(ge=160, le=3840), LIVE] = 640
    height_px: Annotated[int, Field(ge=120, le=2160), LIVE] = 480
    fps: Annotated[Fps, LIVE] = 30
    retry_s: Annotated[float, Field(ge=0.2, le=60.0), LIVE] = 2.0


class StreamsSettings(Section):
    sources: Annotated[list[str], AfterValidator(known_streams), LIVE] = Field(default_factory=list)
    phone: Annotated[str, AfterValidator(address), LIVE] = ""
    lan: Annotated[bool, LIVE] = False
    one_shots: Annotated[list[str], LIVE] = Field(default_factory=list)
    send: Annotated[list[str], AfterValidator(known_motion_sinks), LIVE] = Field(default_factory=list)


class OutputSettings(Section):
    sink: Annotated[str, PlainValidator(text), AfterValidator(known_sink)] = "auto"
    width_px: Annotated[int, Field(ge=128, le=3840, multiple_of=2)] = 1280
    height_px: Annotated[int, Field(ge=128, le=2160, multiple_of=2)] = 720
    fps: Fps = 30
    camera_name: Annotated[str, Field(min_length=1, max_length=31)] = "HifiHead Cam"
    always_on: Annotated[bool, LIVE] = False


class PreviewSettings(Section):
    port: Annotated[int, Field(ge=0, le=65535)] = 0
    fixed_address: bool = False
    jpeg_quality: Annotated[int, Field(ge=30, le=100), LIVE] = 85


class TrackingSettings(Section):
    regressor: Annotated[Literal["auto", "landmarks", "network", "both"], LIVE] = "auto"
    network: Annotated[str, LIVE] = ""


class DriveSettings(Section):
    pitch_gain: AxisGain = 1.0
    yaw_gain: AxisGain = 1.0
    roll_gain: AxisGain = 1.0
    shift_gain: Gain = 1.0
    brows_gain: Gain = 1.0
    eyes_gain: Gain = 1.0
    mouth_gain: Gain = 1.0
    gaze_gain: Gain = 1.0
    pitch_limit_deg: Annotated[float, Field(ge=0.0, le=45.0), LIVE] = 30.0
    yaw_limit_deg: Annotated[float, Field(ge=0.0, le=60.0), LIVE] = 42.0
    roll_limit_deg: Annotated[float, Field(ge=0.0, le=45.0), LIVE] = 35.0
    brows_limit: Share = 1.0
    eyes_limit: Share = 1.0
    mouth_limit: Share = 1.0
    gaze_limit_deg: Annotated[float, Field(ge=0.0, le=35.0), LIVE] = 30.0
    mirror: Annotated[bool, LIVE] = False
    look_at_camera: Share = 0.0
    idle_breath: Gain = 1.0
    idle_sway: Gain = 1.0
    idle_blink: Annotated[bool, LIVE] = True
    remember_rest: bool = True
    smoothing: Annotated[float, Field(ge=0.0, le=5.0), LIVE] = 1.0
    hold_s: Annotated[float, Field(ge=0.0, le=60.0), LIVE] = 0.7
    privacy_s: Annotated[float, Field(ge=0.0, le=3600.0), LIVE] = 30.0


EngineName = Literal[
    "auto",
    "torch",
    "onnxruntime",
    "openvino",
    "openvino-bf16",
    "onnxruntime-coreml",
    "onnxruntime-directml",
    "onnxruntime-cuda",
    "onnxruntime-tensorrt",
    "torch-cuda",
    "tensorrt",
]


class RuntimeSettings(Section):
    bundle: Annotated[str, LIVE] = ""
    engine: Annotated[EngineName, LIVE] = "auto"


class PluginsSettings(Section):
    """Besides its own settings a section for each plug-in, by name, which that plug-in checks."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, dict[str, Any]] = Field(init=False)
    folder: Annotated[str, PlainValidator(text)] = ""
    microphone: str = ""

    def sections(self) -> dict[str, dict[str, Any]]:
        """{name of a plug-in: its section}; those that are on by default are named in any case."""
        in_file = self.__pydantic_extra__ or {}
        return {
            **{name: {"enabled": True, **in_file.get(name, {})} for name in ON_BY_DEFAULT},
            **{name: section for name, section in in_file.items() if name not in ON_BY_DEFAULT},
        }


class Settings(Section):
    avatar: AvatarSettings = AvatarSettings()
    camera: CameraSettings = CameraSettings()
    streams: StreamsSettings = StreamsSettings()
    output: OutputSettings = OutputSettings()
    preview: PreviewSettings = PreviewSettings()
    tracking: TrackingSettings = TrackingSettings()
    drive: DriveSettings = DriveSettings()
    runtime: RuntimeSettings = RuntimeSettings()
    plugins: PluginsSettings = PluginsSettings()


def live_keys() -> frozenset[str]:
    """The settings that take effect while the camera runs, as "section.key"."""
    sections = {name: field.annotation for name, field in Settings.model_fields.items()}
    return frozenset(
        f"{section}.{key}"
        for section, kind in sections.items()
        if isinstance(kind, type) and issubclass(kind, Section)
        for key, field in kind.model_fields.items()
        if LIVE in field.metadata
    )


def is_live(key: str) -> bool:
    """Whether a setting, or a plug-in's section, takes effect while the camera runs."""
    section, _, name = key.partition(".")
    return key in live_keys() or (section == "plugins" and name not in PluginsSettings.model_fields)


def changed_keys(before: Settings, after: Settings) -> frozenset[str]:
    """The settings that differ, as "section.key"; of plug-ins their sections."""
    old, new = before.model_dump(), after.model_dump()
    return frozenset(
        f"{section}.{key}"
        for section in new
        for key in {**old[section], **new[section]}
        if old[section].get(key) != new[section].get(key)
    )
