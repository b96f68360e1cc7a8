"""Read parts: specs in files of their own, which are blocks of the spec that names them."""
