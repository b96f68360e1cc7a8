"""Functions decorated with `@block`, and graphs and blocks of specs, called as layers."""
