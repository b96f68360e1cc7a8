"""Find the changes of a text that mend its diagnostics."""
