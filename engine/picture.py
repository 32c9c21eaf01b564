"""Reading photographs from files: every ordinary format, orientation and mode ends as RGB uint8, or in one clear sentence."""

from __future__ import annotations

import contextlib
import io
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError, features

from engine.errors import InputError
from engine.files import reason, refuse_absent
from engine.values import Floats, Picture

LARGEST_SIDE_PX = 4096  # larger photographs are read reduced: the face is animated at 512 px
LARGEST_MEGAPIXELS = 120  # what is decoded whole before it is reduced; JPEG files decode reduced and may be larger
LARGEST_JPEG_MEGAPIXELS = 500

HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
AVIF_BRANDS = {b"avif", b"avis"}


def read_picture(path: Path | str) -> Picture:
    """The photograph as RGB uint8 (H, W, 3), upright, in sRGB, opaque; at most ``LARGEST_SIDE_PX`` on its longer side.

    Raises InputError when the file is missing, is not a picture Pillow can read, is damaged or far too large.
    """
    path = Path(path)
    refuse_unreadable(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of large or oddly tagged pictures: both are handled here
            with Image.open(path) as image:
                return decode(image, path)
    except UnidentifiedImageError as error:
        raise InputError(
            f"{path} is not a picture that can be read (wanted a JPEG, PNG, WebP, AVIF, BMP or TIFF file)."
        ) from error
    except Image.DecompressionBombError as error:
        raise InputError(f"{path} is too large (over {LARGEST_MEGAPIXELS} megapixels); save a smaller copy.") from error
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error) as error:
        raise InputError(f"{path} is damaged or cut off and cannot be read as a picture ({error}).") from error


def refuse_unreadable(path: Path) -> None:
    """Raises InputError for everything that can be told without decoding."""
    refuse_absent(path, "picture")
    if path.is_dir():
        raise InputError(f"{path} is a folder; wanted a picture file.")
    if not path.is_file():  # a pipe would be waited for, and can be read once only
        raise InputError(f"{path} is a pipe or a device; wanted a picture file.")
    try:
        with path.open("rb") as file:
            head = file.read(32)
    except OSError as error:
        raise InputError(f"The picture {path} cannot be opened: {reason(error)}.") from error
    if not head:
        raise InputError(f"The picture {path} is empty (0 bytes).")
    brand = head[8:12] if head[4:8] == b"ftyp" else b""
    if brand in HEIC_BRANDS and b"avif" not in head:
        raise InputError(f"{path} is a HEIC picture, which cannot be read here; save it as JPEG or PNG and use that.")
    if brand in AVIF_BRANDS and not features.check("avif"):
        raise InputError(f"{path} is an AVIF picture, which this Pillow cannot read; save it as JPEG or PNG and use that.")


def decode(image: Image.Image, path: Path) -> Picture:
    """An opened, still undecoded Pillow image → RGB uint8 (H, W, 3)."""
    megapixels = image.width * image.height / 1e6
    limit = LARGEST_JPEG_MEGAPIXELS if image.format == "JPEG" else LARGEST_MEGAPIXELS
    if megapixels > limit:
        raise InputError(f"{path} has {megapixels:.0f} megapixels; at most {limit} are read. Save a smaller copy.")
    image.draft("RGB", (LARGEST_SIDE_PX, LARGEST_SIDE_PX))  # JPEG only: decodes at 1/2, 1/4 or 1/8
    image.load()
    profile = image.info.get("icc_profile")
    upright = ImageOps.exif_transpose(reduced(eight_bit(image)))
    return opaque_rgb(upright, profile)


def eight_bit(image: Image.Image) -> Image.Image:
    """16- and 32-bit grey pictures brought to 8 bits; all others as they are."""
    if not image.mode.startswith(("I", "F")):
        return image
    values = np.asarray(image).astype(np.float32)
    if not np.isfinite(values).all():
        raise ValueError("it holds values that are not numbers")
    top = float(values.max(initial=0.0))
    white = 1.0 if image.mode == "F" and top <= 1.0 else 255.0 if top <= 255.0 else 65535.0
    grey = Image.fromarray(np.clip(values * (255.0 / white) + 0.5, 0, 255).astype(np.uint8))
    grey.info.update(image.info)
    grey.getexif().update(image.getexif())
    return grey


def reduced(image: Image.Image) -> Image.Image:
    """At most ``LARGEST_SIDE_PX`` on the longer side; smaller pictures as they are."""
    if max(image.size) <= LARGEST_SIDE_PX:
        return image
    if image.mode in ("P", "PA", "1"):
        image = image.convert("RGBA" if "transparency" in image.info or image.mode == "PA" else "RGB")
    image.thumbnail((LARGEST_SIDE_PX, LARGEST_SIDE_PX), Image.Resampling.BICUBIC, reducing_gap=2.0)
    return image


def opaque_rgb(image: Image.Image, profile: bytes | None) -> Picture:
    """Any 8-bit mode → RGB in sRGB; transparency is laid over a grey as bright as the picture's own edge of opacity."""
    transparent = image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info
    if not transparent:
        return np.array(to_srgb(image, profile).convert("RGB"), np.uint8)
    layers = image.convert("RGBA")
    alpha = np.asarray(layers.getchannel("A"), np.float32)[..., None] / 255
    colours = np.asarray(to_srgb(layers.convert("RGB"), profile), np.float32)
    return np.asarray(colours * alpha + edge_grey(colours, alpha) * (1 - alpha) + 0.5, np.uint8)


def edge_grey(colours: Floats, alpha: Floats) -> float:
    """The mean brightness of what is mostly opaque, kept between 64 and 192: a neutral ground without bright or dark seams."""
    opaque = colours[alpha[..., 0] > 0.5]
    return float(np.clip(opaque.mean(), 64, 192)) if len(opaque) else 128.0


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Colours of an embedded profile (Display P3 of telephones, Adobe RGB) as sRGB; unchanged without a usable profile."""
    if not profile or image.mode not in ("RGB", "L", "CMYK"):
        return image
    with contextlib.suppress(ImageCms.PyCMSError, OSError, ValueError):  # a broken profile is no reason to refuse a photograph
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
        return converted if converted is not None else image
    return image
