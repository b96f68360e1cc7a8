"""Read models that other libraries wrote to files, without running their code."""
