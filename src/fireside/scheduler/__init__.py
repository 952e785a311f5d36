"""Who goes next, and where: a pure decision over a state that changes are fed into."""
