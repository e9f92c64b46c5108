"""A run's folder: tables and manifest, each file whole or not there."""
