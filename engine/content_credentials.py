"""Content credentials (C2PA): a signed statement in a file of how it was made. Needs the package c2pa-python.

The specification takes the kinds of making from IPTC's list. "compositeSynthetic" is a mixture of elements of which at least one
is synthetic: here a photograph that networks move, with recorded sound. Neither signing nor reading uses the network.
"""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import InputError
from engine.files import reason, replacing
from engine.mp4 import Mp4File

ALGORITHMS = ("es256", "es384", "es512", "ps256", "ed25519")  # which one fits the key is tried
GOOD = ("Valid", "Trusted")  # of a file that was not changed since; trusted are those signers whom the library knows
OFFLINE = {"verify": {"remote_manifest_fetch": False, "ocsp_fetch": False}}
NO_LIBRARY = (
    f"Content credentials need the package c2pa-python, which is not installed. Type: {sys.executable} -m pip install c2pa-python"
)


@dataclass(frozen=True)
class Credentials:
    """What a file says of itself.

    valid   whether the signature is right and the file was not changed since
    signer  who signed it, as the certificate says
    maker   the program that made it
    source  how it was made: the last part of IPTC's "digital source type", "" where that is not said
    """

    valid: bool
    signer: str
    maker: str
    source: str


class ContentSigner:
    """``sign`` puts content credentials into an MP4 file."""

    def __init__(self, certificate: Path, key: Path) -> None:
        """A certificate chain and its private key, both PEM. Tries them out; raises InputError."""
        self._c2pa = library()
        texts = [read_pem(certificate, "certificate"), read_pem(key, "private key")]
        problems = []
        for algorithm in ALGORITHMS:
            try:
                info = self._c2pa.C2paSignerInfo(algorithm.encode(), *(text.encode() for text in texts), None)
                self._signer: Any = self._c2pa.Signer.from_info(info)
                self._try_out()
            except (self._c2pa.C2paError, InputError) as error:
                problems.append(str(error))
            else:
                return
        raise InputError(
            f"The certificate {certificate} and the key {key} cannot sign: {min(problems, key=len)}. "
            "Wanted: certificates for signing content, as C2PA asks for, and their private key (PKCS#8) without a password."
        )

    def sign(self, path: Path) -> None:
        """Puts content credentials into a complete MP4 file; raises InputError, and the file stays as it was."""
        said = {"title": path.name, "claim_generator_info": [{"name": "HifiHead Cam"}]}
        try:
            with replacing(path) as signed, self._c2pa.Builder(json.dumps(said)) as builder:
                builder.set_intent(self._c2pa.C2paBuilderIntent.CREATE, self._c2pa.C2paDigitalSourceType.COMPOSITE_SYNTHETIC)
                builder.sign_file(str(path), str(signed), self._signer)
        except self._c2pa.C2paError as error:
            raise InputError(f"{path} could not be signed ({error}); it has no content credentials.") from error

    def _try_out(self) -> None:
        """Signs a small file; raises InputError, C2paError."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "trial.mp4"
            with Mp4File(path, (64, 48), 30) as file:
                file.send(np.zeros((48, 64, 3), np.uint8))
            self.sign(path)
            credentials = read_credentials(path)
        if credentials is None or not credentials.valid:
            raise InputError("what they sign is not valid; does the key belong to the certificate, and is that in force?")


def read_credentials(path: Path) -> Credentials | None:
    """Those of a picture or video; None where it has none. Raises InputError when they cannot be read."""
    c2pa = library()
    try:
        with c2pa.Reader(str(path), context=c2pa.Context(c2pa.Settings.from_dict(OFFLINE))) as reader:
            manifest, state = json.loads(reader.json()), reader.get_validation_state()
    except c2pa.C2paError.ManifestNotFound:
        return None
    except c2pa.C2paError as error:
        raise InputError(f"The content credentials of {path} cannot be read ({error}).") from error
    active = manifest["manifests"][manifest["active_manifest"]]
    actions = [
        action
        for assertion in active.get("assertions", [])
        if assertion["label"].startswith("c2pa.actions")
        for action in assertion["data"].get("actions", [])
    ]
    sources = [action["digitalSourceType"].rpartition("/")[2] for action in actions if "digitalSourceType" in action]
    signature = active.get("signature_info", {})
    makers = [info.get("name", "") for info in active.get("claim_generator_info", [])]
    return Credentials(
        state in GOOD,
        signature.get("common_name") or signature.get("issuer") or "",
        makers[0] if makers else "",
        sources[0] if sources else "",
    )


def library() -> Any:
    """The package c2pa-python; raises InputError when it is missing."""
    try:
        import c2pa  # here: optional, and 50 MB
    except (ImportError, OSError) as error:
        raise InputError(NO_LIBRARY) from error
    return c2pa


def read_pem(path: Path, what: str) -> str:
    """A file in letters; raises InputError."""
    try:
        text = path.read_text(encoding="ascii")
    except (OSError, ValueError) as error:
        raise InputError(f"The {what} {path} cannot be read: {reason(error)}.") from error
    if "-----BEGIN" not in text:
        raise InputError(f"The {what} {path} is not in the PEM format.")
    return text
