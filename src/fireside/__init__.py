"""Fireside: an open, self-hosted Comfy Cloud."""

__version__ = "0.1.0"
