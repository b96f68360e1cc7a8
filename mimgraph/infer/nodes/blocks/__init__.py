"""Type the uses of blocks: one body for each use, repeats, scans and groups."""
