"""Training the generator: scenes to learn from, the paper's objective (section 3.4), and the run itself (docs/training.md)."""
