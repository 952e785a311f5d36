"""A small Python client of our own API, for the commands and for scripts."""
