"""What runs a graph: the contract in `base`, and one module or package per kind of runtime.

A runtime knows graphs and files. It does not know jobs, users, leases, the store or the bus: those
belong to the worker, which drives exactly one runtime.
"""
