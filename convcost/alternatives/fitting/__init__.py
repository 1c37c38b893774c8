"""Weights of alternatives: the only part of this folder that uses NumPy."""
