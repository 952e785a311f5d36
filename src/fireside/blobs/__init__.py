"""Bytes by their hash: stored once, read in ranges, sniffed and signed for."""
