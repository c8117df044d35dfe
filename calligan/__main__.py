"""`python -m calligan`."""

from calligan.cli import main

main()
