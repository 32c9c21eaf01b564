"""Evaluating generators side by side with doing nothing and with pure geometry: ``python -m trainer evaluate generator``."""
