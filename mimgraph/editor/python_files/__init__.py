"""Check the graphs that a Python file builds: run it in a process of its own, when the user asks.

`run` is the program of that process, which reports calls and errors; `runner` starts, bounds and ends it;
`findings` is the result, which follows the changes of the text.
"""
