"""`python -m netral` is the command `netral`."""

from netral.cli import main

main(prog_name="netral")
