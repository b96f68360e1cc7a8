"""Plan and write a forward: conditions, calls, loops, and the names and lives of its locals."""
