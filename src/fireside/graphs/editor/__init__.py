"""Workflows as the editor saves them, made into graphs that can run: what its "Export (API)" does, without a browser.

The editor decides what runs while it loads a file: which saved value is whose, what a bypassed node passes on, what a
subgraph shows on its outside. `workflow` is what a file says, `reading` reads it, `widgets` and `promotion`
give the nodes their values, `resolving` follows the links, and `convert` puts the graph together.
"""
