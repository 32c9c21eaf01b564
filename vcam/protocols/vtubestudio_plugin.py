"""VTube Studio's interface for plug-ins: JSON over a WebSocket, one answer to each request. Source: DenchiSoft/VTubeStudio."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from engine.values import EXPRESSION_NAMES
from vcam.protocols.face import PacketError, StreamedFace

PORT = 8001
WHO = {"pluginName": "HifiHead Cam", "pluginDeveloper": "HifiHead Cam"}
LARGEST_BYTES = 65536


def token_request() -> str:
    """Asks for a token, which the user must allow in VTube Studio."""
    return message("AuthenticationTokenRequest", WHO)


def authentication(token: str) -> str:
    return message("AuthenticationRequest", {**WHO, "authenticationToken": token})


def injection(face: StreamedFace) -> str:
    """Sets the parameters of tracking; to be repeated at least once a second."""
    parameters = [{"id": name, "value": round(float(value), 4)} for name, value in parameters_of(face).items()]
    data = {"faceFound": face.found, "mode": "set", "parameterValues": parameters}
    return message("InjectParameterDataRequest", data)


def message(kind: str, data: dict[str, Any]) -> str:
    """A request."""
    return json.dumps(
        {"apiName": "VTubeStudioPublicAPI", "apiVersion": "1.0", "requestID": kind, "messageType": kind, "data": data}
    )


def answer(text: str | bytes) -> tuple[str, dict[str, Any]]:
    """(kind, data) of an answer; raises PacketError for what is none."""
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise PacketError("it is not JSON") from error
    data = values.get("data") if isinstance(values, dict) else None
    if not isinstance(data, dict) or not isinstance(values.get("messageType"), str):
        raise PacketError("it is no answer of VTube Studio")
    return values["messageType"], data


def parameters_of(face: StreamedFace) -> dict[str, float]:
    """VTube Studio's own parameters; eyes turn with the sign that the head turns with."""
    score = dict(zip(EXPRESSION_NAMES, map(float, face.expression), strict=True))
    pitch, yaw, roll = np.degrees(face.angles_rad)
    x, y, z = face.place_dm * 10  # cm
    left_x, left_y, right_x, right_y = face.gaze / 0.5
    brows = {
        side: 0.5 + 0.5 * max(score[f"browOuterUp{side}"], score["browInnerUp"]) - 0.5 * score[f"browDown{side}"]
        for side in ("Left", "Right")
    }
    smile = (score["mouthSmileLeft"] + score["mouthSmileRight"] - score["mouthFrownLeft"] - score["mouthFrownRight"]) / 2
    return {
        "FaceAngleX": yaw, "FaceAngleY": -pitch, "FaceAngleZ": roll,
        "FacePositionX": x, "FacePositionY": y, "FacePositionZ": z,
        "MouthOpen": score["jawOpen"], "MouthSmile": 0.5 + smile / 2, "MouthX": score["mouthLeft"] - score["mouthRight"],
        "EyeOpenLeft": 1 - score["eyeBlinkLeft"], "EyeOpenRight": 1 - score["eyeBlinkRight"],
        "EyeLeftX": left_x, "EyeLeftY": left_y, "EyeRightX": right_x, "EyeRightY": right_y,
        "BrowLeftY": brows["Left"], "BrowRightY": brows["Right"], "Brows": sum(brows.values()) / 2,
        "CheekPuff": score["cheekPuff"], "TongueOut": score["tongueOut"],
    }  # fmt: skip
