"""Heads rendered from the open head, with everything known of them exactly."""

from trainer.data.synthetic.pieces import Layer
from trainer.data.synthetic.stream import Sample, SyntheticHeads

__all__ = ["Layer", "Sample", "SyntheticHeads"]
