"""Evaluating regressors side by side: ``python -m trainer evaluate regressor``."""
