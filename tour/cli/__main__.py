"""``python -m tour.cli``."""

from tour.cli.main import main

main()
