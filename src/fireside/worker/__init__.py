"""The agent beside one runtime: receives, stages, runs, uploads, reports.

It knows the server by `bus`, `client` and `wire`, also when both run on one machine.
"""
