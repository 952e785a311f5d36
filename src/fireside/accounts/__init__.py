"""Who may come in, and how they show it: users, API keys, sessions, login links, and the server's own keys."""
