"""The settings: what exists, in which unit and range, and its default. ``config.toml`` holds the same with the same defaults."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Section(BaseModel):
    """Strict: an unknown key or another type is an error; frozen: settings never change in place."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


Gain = Annotated[float, Field(ge=0.0, le=3.0)]
Fps = Annotated[int, Field(ge=5, le=60)]


class AvatarSettings(Section):
    photo: str = ""


class CameraSettings(Section):
    source: Annotated[str, Field(min_length=1)] = "auto"
    width_px: Annotated[int, Field(ge=160, le=3840)] = 640
    height_px: Annotated[int, Field(ge=120, le=2160)] = 480
    fps: Fps = 30
    retry_s: Annotated[float, Field(ge=0.2, le=60.0)] = 2.0


class OutputSettings(Section):
    sink: Annotated[str, Field(pattern=r"^(auto|virtual|preview|file:.+)$")] = "auto"
    width_px: Annotated[int, Field(ge=128, le=3840, multiple_of=2)] = 1280
    height_px: Annotated[int, Field(ge=128, le=2160, multiple_of=2)] = 720
    fps: Fps = 30
    camera_name: Annotated[str, Field(min_length=1, max_length=31)] = "HifiHead Cam"
    always_on: bool = False


class PreviewSettings(Section):
    port: Annotated[int, Field(ge=0, le=65535)] = 0
    jpeg_quality: Annotated[int, Field(ge=30, le=100)] = 85


class TrackingSettings(Section):
    regressor: Literal["auto", "landmarks", "network", "both"] = "auto"
    network: str = ""


class DriveSettings(Section):
    expression_gain: Gain = 1.0
    head_gain: Gain = 1.0
    gaze_gain: Gain = 1.0
    smoothing: Annotated[float, Field(ge=0.0, le=5.0)] = 1.0
    hold_s: Annotated[float, Field(ge=0.0, le=60.0)] = 0.7
    privacy_s: Annotated[float, Field(ge=0.0, le=3600.0)] = 30.0


class RuntimeSettings(Section):
    bundle: str = ""
    engine: Literal[
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
    ] = "auto"


class Settings(Section):
    avatar: AvatarSettings = AvatarSettings()
    camera: CameraSettings = CameraSettings()
    output: OutputSettings = OutputSettings()
    preview: PreviewSettings = PreviewSettings()
    tracking: TrackingSettings = TrackingSettings()
    drive: DriveSettings = DriveSettings()
    runtime: RuntimeSettings = RuntimeSettings()
