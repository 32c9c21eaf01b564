"""Animates one photograph: it turns its head and opens its mouth, and the picture is written.

python examples/animate_picture.py engine/assets/portrait.jpg turned.png
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from engine.animator import Animator
from engine.portrait import load_portrait
from engine.values import JAW_OPEN


def main(photo: Path, out: Path) -> None:
    """Reads a photograph, and writes its animated 512² square."""
    with Animator(fixed=True) as animator:
        z = animator.set_source(load_portrait(photo)).coefficients
        expression, pose = z.expression.copy(), z.pose.copy()
        expression[JAW_OPEN] = 0.4  # 0…1
        pose[1] += np.radians(12)  # yaw, toward the person's left
        picture = animator.animate(replace(z, expression=expression, pose=pose))
        Image.fromarray(picture).save(out)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
