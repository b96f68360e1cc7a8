"""Show the picture of a spec in the browser, and draw it again whenever the spec changes."""
