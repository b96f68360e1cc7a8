"""Build the table of a graph, and the text about nodes that tables, pictures and diffs share."""
