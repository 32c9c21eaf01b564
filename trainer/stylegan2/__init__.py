"""Starting the generator from StyleGAN2's weights (section 4.1): read without executing anything, copied layer by layer."""

from trainer.stylegan2.layouts import StyleGan2, StyleLayer, read_stylegan2
from trainer.stylegan2.transfer import TransferReport, initialise

__all__ = ["StyleGan2", "StyleLayer", "TransferReport", "initialise", "read_stylegan2"]
