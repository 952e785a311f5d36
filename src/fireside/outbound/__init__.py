"""The one way out to a URL that somebody gave us: which hosts, which addresses, how much, and for how long."""
