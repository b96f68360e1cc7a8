"""Compare two graphs: what changed and what follows from it, as text, Markdown, data and picture."""
