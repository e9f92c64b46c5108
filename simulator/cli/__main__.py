"""`python -m simulator.cli` is `footfall`."""

from simulator.cli import main

main()
