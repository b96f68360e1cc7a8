"""Draw a wrong graph: the part that is known, and its faults in red."""
