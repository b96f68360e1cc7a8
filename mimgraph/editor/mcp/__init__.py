"""Serve language models by the Model Context Protocol: tools, resources and a prompt about specs.

A tool is a function in `tools/`, which runs in a process of its own with a limit on its time; `server`
gives the functions to the SDK; `folder` bounds the files that a call opens and writes.
"""
