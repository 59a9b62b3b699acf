"""``python -m tour.cli``."""

from tour.cli.entry import main

main()
