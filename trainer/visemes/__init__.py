"""Trains and measures the network that hears visemes, on synthetic speech."""
