"""Who goes next, and where: pure functions over a snapshot."""
