"""Make a draft shorter and easier to read, without changing what it computes."""
