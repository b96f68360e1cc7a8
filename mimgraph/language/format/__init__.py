"""Write a spec's text in one style, with its comments."""
