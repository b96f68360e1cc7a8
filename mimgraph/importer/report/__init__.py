"""Say what an import could not declare as it is, what it proved, and which keys it renamed."""
