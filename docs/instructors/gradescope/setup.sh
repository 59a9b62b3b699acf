#!/usr/bin/env bash
# Gradescope runs this once as root, when it builds the autograder's image. Beside it in the zip: run_autograder, and
# the folder wheels (python3 -m pip wheel -w wheels PATH-TO-VHOST-TOUR), so that nothing is fetched from anywhere else.
set -euo pipefail
place=${AUTOGRADER:-/autograder}

if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
    apt-get update
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends python3 python3-venv
fi
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "vhost-tour needs Python 3.11 or newer: choose a newer base image (this is $(python3 --version))." >&2
    exit 1
}
python3 -m venv "$place/tour"
"$place/tour/bin/pip" install --no-index --find-links "$place/source/wheels" vhost-tour
# Solutions and graders are for the grading user alone: tour grade refuses to run where a student's code could read them.
chmod 700 "$("$place/tour/bin/python" -P -c 'from tour.lesson.exercise import root; print(root())')"
