"""Starting workers: as child processes of this server."""
