"""Scripts that complete the commands, options and names of mimgraph in bash, zsh and fish."""
