"""The commands: each parses its words, calls one function of the client or the app, and prints."""
