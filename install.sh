#!/bin/sh
# Makes .venv beside this file with vhost-tour in it: `sh install.sh`, or `sh install.sh test` with what its tests need.
# Installs Debian or Ubuntu packages only when something is missing, with sudo only where there is one.
set -eu
cd "$(dirname "$0")"
what=.
[ "${1:-}" != test ] || what='.[test]'
packages='python3-venv python3-dev gcc libc6-dev'

say() { printf '%s\n' "$*" >&2; }
stop() { say "$@"; exit 3; }

complete() {
    python3 -c 'import ensurepip, venv' 2>/dev/null || return 1
    command -v gcc >/dev/null || return 1
    header=$(python3 -c 'import sysconfig; print(sysconfig.get_path("include"))')/Python.h
    [ -e "$header" ] && [ -e /usr/include/linux/vhost.h ]
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo >/dev/null; then sudo "$@"
    else return 1
    fi
}

command -v python3 >/dev/null || stop "vhost-tour needs python3. To mend it: sudo apt-get install python3"
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    stop "vhost-tour needs Python 3.11 or newer; this is $(python3 --version)."
if ! complete; then
    if command -v apt-get >/dev/null; then
        say "Installing $packages ..."
        { as_root apt-get update -qq && as_root env DEBIAN_FRONTEND=noninteractive \
            apt-get install -qq -y --no-install-recommends $packages; } >/dev/null ||
            say "That did not work; live lessons need it: sudo apt-get install $packages"
    else
        say "Live lessons need a C compiler and Python's headers (on Debian: $packages); replay works without."
    fi
fi
say "Making .venv and installing vhost-tour ..."
[ -x .venv/bin/pip ] || python3 -m venv .venv
rm -rf build # what an older tree left there would be installed too
if [ "$what" = . ]; then .venv/bin/pip install -q .; else .venv/bin/pip install -q -e "$what"; fi
say "Done."
