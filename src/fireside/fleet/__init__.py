"""Starting workers: as child processes of a server, or of launchers that follow what a pool should have."""
