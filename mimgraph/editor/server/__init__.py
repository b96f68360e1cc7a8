"""Talk the Language Server Protocol: documents, positions, and a handler for each request."""
