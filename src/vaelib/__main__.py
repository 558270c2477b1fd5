"""``python -m vaelib``: the command line."""

from vaelib.cli import main

main(prog_name="python -m vaelib")
