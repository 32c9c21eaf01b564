"""Finding the facts about this machine. Nothing here raises: what cannot be found out is left empty."""

from vcam.doctor.look.everything import look

__all__ = ["look"]
