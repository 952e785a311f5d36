"""The pages of our own, rendered here: signing in, one's account, and jobs."""
