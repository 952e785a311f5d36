"""What we remember: the verbs of `Store`, and the databases they run on."""
