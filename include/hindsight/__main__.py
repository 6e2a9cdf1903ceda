"""`python -m hindsight`: the command line where the package is only on the path, not installed."""

from hindsight.cli import main

main()
