"""Find the help for a fault, the text to write instead, and warn of unused params."""
