"""What carries work and live events between processes: NATS, also on one laptop. It decides and remembers nothing."""
