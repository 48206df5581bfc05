"""`python -m callscope`: the command line."""

from callscope.cli import main

main()
