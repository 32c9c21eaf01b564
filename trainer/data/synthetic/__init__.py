"""Heads rendered from the open head, with everything known of them exactly."""

from trainer.data.synthetic.pieces import Layer
from trainer.data.synthetic.stream import MappedPair, Sample, SyntheticHeads

__all__ = ["Layer", "MappedPair", "Sample", "SyntheticHeads"]
