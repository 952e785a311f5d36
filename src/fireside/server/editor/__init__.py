"""The official editor: its files as they come, and the little that it needs around them to be safe for many users."""
