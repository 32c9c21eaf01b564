"""Training data of every kind: heads rendered from the open head, photographs, videos."""
