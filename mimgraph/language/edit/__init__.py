"""Change the text of a spec where it must change, so that comments and layout stay."""
