"""Answer what editors ask of a spec, as data with spans; the protocol is in `editor/server`."""
