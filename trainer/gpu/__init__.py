"""``python -m trainer check-gpu``: everything that only a machine with CUDA can prove, in minutes, each thing by itself."""
