"""What an older version promised: its specs and its Python code, and what they gave there."""
