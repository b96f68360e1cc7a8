"""`python -m mimgraph`: the command line."""

import sys

from mimgraph.cli import main

sys.exit(main())
