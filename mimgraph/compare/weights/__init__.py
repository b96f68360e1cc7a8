"""Plan which weights of an old graph a new graph takes over."""
