"""The edge: HTTP and websockets, one table of routes per dialect; it decides nothing about jobs."""
