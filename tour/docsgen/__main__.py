"""``python -m tour.docsgen [FOLDER]``: all pages of the site, English in FOLDER, Chinese below FOLDER/zh."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tour.docsgen.pages import write_site
from tour.errors import TourError


def main(argv: list[str]) -> int:
    """Write the pages; 2 with a sentence when a lesson or a recording is not as it should be."""
    parser = argparse.ArgumentParser(prog="python -m tour.docsgen", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("build/site"), help="default: %(default)s")
    folder = parser.parse_args(argv).folder
    try:
        for path in write_site(folder):
            print(path)
    except TourError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
