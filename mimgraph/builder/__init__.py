"""The Python front end: handles record the calls of layers, from which a declared graph is made."""
