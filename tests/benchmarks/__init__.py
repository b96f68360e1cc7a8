"""What is measured: each case is ours and what it is compared with, run in turn."""
