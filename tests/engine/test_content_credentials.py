"""Content credentials: what is signed says how it was made, and shows when it was changed; what cannot sign is told before."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engine.content_credentials import ContentSigner, Credentials, read_credentials
from engine.errors import InputError
from engine.mp4 import Mp4File

CONFIG = """
[req]
distinguished_name = dn
[dn]
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
subjectKeyIdentifier = hash
[signer]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = emailProtection
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""


def openssl(folder: Path, command: str) -> None:
    subprocess.run(["openssl", *command.split()], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def pems(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with chain.pem and key.pem, which belong together, and other.pem, another key."""
    pytest.importorskip("c2pa")
    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the certificates")
    folder = tmp_path_factory.mktemp("pems")
    (folder / "c.cnf").write_text(CONFIG)
    for name in ("root", "key", "other"):
        openssl(folder, f"genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out {name}.pem")
    openssl(folder, "req -x509 -new -key root.pem -subj /CN=Root/O=Test -config c.cnf -extensions root -days 9999 -out root.crt")
    openssl(folder, "req -new -key key.pem -subj /CN=Signer/O=Test -config c.cnf -out signer.csr")
    openssl(
        folder,
        "x509 -req -in signer.csr -CA root.crt -CAkey root.pem -CAcreateserial -extfile c.cnf -extensions signer -days 9999 "
        "-out signer.crt",
    )
    (folder / "chain.pem").write_text((folder / "signer.crt").read_text() + (folder / "root.crt").read_text())
    (folder / "text.pem").write_text("nothing")
    return folder


@pytest.fixture
def video(tmp_path: Path) -> Path:
    with Mp4File(tmp_path / "x.mp4", (64, 48), 30) as file:
        for shade in range(5):
            file.send(np.full((48, 64, 3), 40 * shade, np.uint8))
    return tmp_path / "x.mp4"


def test_what_is_signed_says_how_it_was_made_and_shows_changes(pems: Path, video: Path) -> None:
    assert read_credentials(video) is None
    ContentSigner(pems / "chain.pem", pems / "key.pem").sign(video)
    assert read_credentials(video) == Credentials(True, "Signer", "HifiHead Cam", "compositeSynthetic")
    assert [path.name for path in video.parent.iterdir()] == ["x.mp4"]
    data = bytearray(video.read_bytes())
    data[data.index(b"mdat") + 40] ^= 1
    video.write_bytes(data)
    changed = read_credentials(video)
    assert changed is not None
    assert not changed.valid


@pytest.mark.parametrize(
    ("certificate", "key", "words"),
    [
        ("nothing.pem", "key.pem", r"The certificate .*nothing\.pem cannot be read: No such file"),
        ("chain.pem", "text.pem", r"The private key .*text\.pem is not in the PEM format"),
        ("chain.pem", "other.pem", "cannot sign"),
        ("root.crt", "root.pem", "cannot sign"),
        ("key.pem", "key.pem", "cannot sign"),
    ],
)
def test_what_cannot_sign_is_told_before(pems: Path, certificate: str, key: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        ContentSigner(pems / certificate, pems / key)


def test_without_the_package_it_is_said_how_to_install_it(video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "c2pa", None)
    for act in (lambda: read_credentials(video), lambda: ContentSigner(video, video)):
        with pytest.raises(InputError, match="pip install c2pa-python"):
            act()
