"""The API v2, `/api/v2/*`: what the official SDKs speak."""
