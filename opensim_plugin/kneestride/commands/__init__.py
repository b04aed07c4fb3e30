"""The commands of the command line: a module each, and in `shared` what they share.

A command is a plain function; `kneestride.cli` gives it to typer. Its signature is the
call, its docstring the help. What it needs is imported inside it, because `--help` imports
all of these modules.
"""
