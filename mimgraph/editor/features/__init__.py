"""Answer questions about a spec as plain data with spans; `server/` turns the answers into the protocol."""
