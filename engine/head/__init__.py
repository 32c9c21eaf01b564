"""The morphable head: an open one of our own, or the Basel model for those who hold a licence for it."""

from engine.head.asset import OPEN_HEAD, load_head
from engine.head.model import HeadModel, PersonalHead
from engine.head.parts import Part

__all__ = ["OPEN_HEAD", "HeadModel", "Part", "PersonalHead", "load_head"]
