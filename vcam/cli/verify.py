"""``hifihead verify``: whether a video or picture carries this program's invisible mark; and its content credentials."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from itertools import islice
from pathlib import Path

from rich.console import Console

from engine.content_credentials import Credentials, read_credentials
from engine.errors import InputError
from engine.files import refuse_absent
from engine.picture import read_picture
from engine.values import Picture
from engine.video import read_frames
from engine.watermark import FOUND, found_in

PICTURES, EVERY = 30, 10  # of a video: so many, the first and then every tenth


def verify(file: Path, *, as_json: bool) -> bool:
    """Prints whether the mark was found, and returns it. Raises InputError when the file is neither picture nor video."""
    pictures = list(pictures_of(file))
    finding = found_in(pictures)
    credentials, unread = credentials_of(file)
    if as_json:
        values = {
            "marked": finding.found,
            "score": round(finding.score, 2),
            "threshold": FOUND,
            "size": round(finding.size, 3),
            "mirrored": finding.mirrored,
            "pictures": len(pictures),
            "credentials": None if credentials is None else asdict(credentials),
            "credentials_unread": unread,
        }
        print(json.dumps(values, indent=1))
        return finding.found
    looked = "one picture" if len(pictures) == 1 else f"{len(pictures)} pictures"
    scores = f"score {finding.score:.1f}, found from {FOUND:g} on; {looked} looked at"
    sentence = f"{file} carries HifiHead Cam's mark" if finding.found else f"No mark of HifiHead Cam was found in {file}"
    console = Console(soft_wrap=True, highlight=False)
    console.print(f"{sentence} ({scores}).", markup=False)
    console.print(unread or told(credentials), markup=False)
    return finding.found


def credentials_of(file: Path) -> tuple[Credentials | None, str]:
    """A file's content credentials, None without; and why they cannot be read, "" where they can."""
    try:
        return read_credentials(file), ""
    except InputError as error:
        return None, str(error)


def told(credentials: Credentials | None) -> str:
    """The sentence about them."""
    if credentials is None:
        return "It has no content credentials (C2PA)."
    unchanged = "the file is as it was signed" if credentials.valid else "they do NOT fit the file, or the signature is wrong"
    return (
        f"Content credentials (C2PA): {unchanged}; signed by {credentials.signer or 'nobody named'}, "
        f"made by {credentials.maker or 'a program not named'}, source type {credentials.source or 'not said'}. "
        "Whether the signer is to be trusted is not checked."
    )


def pictures_of(file: Path) -> Iterator[Picture]:
    """The picture, or some of the video; raises InputError."""
    refuse_absent(file, "file")
    try:
        yield read_picture(file)
    except InputError as no_picture:
        any_frame = False
        try:
            for frame in islice(read_frames(file), 0, PICTURES * EVERY, EVERY):
                any_frame = True
                yield frame.image
        except InputError as no_video:
            raise InputError(f"{file} is neither a picture nor a video that can be read.") from no_video
        if not any_frame:
            raise InputError(f"{file} is neither a picture nor a video that can be read.") from no_picture
