"""The Cloud API v1, `/api/*`: what its documented clients call, one module for each group of routes."""
