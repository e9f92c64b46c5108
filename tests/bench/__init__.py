"""Figures of speed, each a ratio against a reference in the same run: `make bench`."""
