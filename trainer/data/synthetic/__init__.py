"""Heads rendered from the open head, with everything known of them exactly."""

from trainer.data.synthetic.pieces import MaskLabel
from trainer.data.synthetic.stream import MappedPair, Sample, SyntheticHeads

__all__ = ["MappedPair", "MaskLabel", "Sample", "SyntheticHeads"]
