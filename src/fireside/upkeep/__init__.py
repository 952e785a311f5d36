"""Loops that repair and tidy; each has `tick(now)`, and being late never makes anything wrong. And backups."""
