"""Count parameters, multiply-accumulates and memory; bind named sizes; find reshapes that copy."""
