"""What is measured: each case is ours and the floor it is compared with, run in turn."""
