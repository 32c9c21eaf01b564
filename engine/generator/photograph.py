"""Encoding photographs: layers for the compositor, and F_s by the exported graph ``source``."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict

import numpy as np

from engine.generator.compose_fast import pack
from engine.generator.render_inputs import EncodedPhotograph, checked_array
from engine.resource import Resource
from engine.runtime.sessions import GraphSession
from engine.values import Floats, Picture

REMEMBERED = 4  # photographs whose F_s is kept, so that going back to one is instant


class PhotographEncoder(Resource):
    """Encodes photographs of one size; any thread may use it. It takes over the session, and closes it."""

    def __init__(self, session: GraphSession, size: int) -> None:
        """``session``: the graph 'source'; ``size``: the picture's side [px]."""
        self._session, self._size = session, size
        self._remembered: OrderedDict[str, dict[str, Floats]] = OrderedDict()
        self._encoding = threading.Lock()

    def prepare(self, foreground: Picture, matte: Floats, plate: Picture, photo: Picture) -> EncodedPhotograph:
        """See ``engine.generator.live.Generator.prepare``."""
        shape = (self._size, self._size, 3)
        foreground = checked_array("foreground", foreground, shape, np.uint8)
        plate = checked_array("plate", plate, shape, np.uint8)
        matte = checked_array("matte", matte, shape[:2], np.float32)
        photo = checked_array("photo", photo, shape, np.uint8)
        return EncodedPhotograph(foreground, matte, plate, pack(foreground, matte, plate), self._encode(photo))

    def close(self) -> None:
        """Frees the network, once a running ``prepare`` is done."""
        with self._encoding:
            self._remembered.clear()
            self._session.close()

    def _encode(self, photo: Picture) -> dict[str, Floats]:
        """F_s by input name, from memory when this photograph was seen lately."""
        key = hashlib.sha256(photo.tobytes()).hexdigest()
        with self._encoding:
            if key not in self._remembered:
                picture = (photo.astype(np.float32) / 127.5 - 1).transpose(2, 0, 1)[None]
                outputs = self._session.run({"photo": np.ascontiguousarray(picture)})
                self._remembered[key] = {name: features.copy() for name, features in outputs.items()}
            self._remembered.move_to_end(key)
            while len(self._remembered) > REMEMBERED:
                self._remembered.popitem(last=False)
            return self._remembered[key]
