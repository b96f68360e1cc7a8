"""`python -m mimgraph`: the command line."""

from mimgraph.cli import run

if __name__ == "__main__":  # a process that a command starts may read this file, too
    run()
