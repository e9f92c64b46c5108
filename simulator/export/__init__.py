"""Footfall."""
