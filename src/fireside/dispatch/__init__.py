"""The leader's loop: who goes next, handed to whom, and which workers are still there."""
