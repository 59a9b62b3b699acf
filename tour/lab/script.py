"""What runs in the lab before the command: the init script, and the job that tells it what to do.

The job is a few lines of shell that the front end sends over the control port. Ports (virtio v1.3 5.3):

    1  in       the command's standard input; in a stream also its output
    2  out      its standard output
    3  err      its standard error
    4  control  to the lab: size of the job, the job. From the lab: 'root', 'start', 'exit CODE'

The root is an overlay: the host's files read-only below, a layer in memory above that ends with the machine.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PORTS = ("in", "out", "err", "control")
HOME = "/run/tour"

INIT = r"""#!/bin/busybox sh
b=/bin/busybox
say() { echo "tour-lab: $*"; }
fail() { say "fail $*"; $b poweroff -f; }
trap 'fail "the init script ended"' EXIT
say init
$b mount -t proc proc /proc
$b mount -t devtmpfs dev /dev
$b mount -t sysfs sys /sys
while read -r name; do
    $b insmod "/modules/$name.ko" || fail "module $name was refused"
done </order
say modules
port() { set -- /dev/vport*p4; [ -c "$1" ]; }  # the first number is the virtio device's
until port; do $b usleep 10000; done
port=$(echo /dev/vport*p4)
port=${port%4}
exec 6<>"${port}1" 7>"${port}2" 8>"${port}3" 9<>"${port}4"
# Reading before the host is known to be there gives an end of file. Port 4 is announced last.
until IFS= read -r size <&9; do $b usleep 10000; done
$b head -c "$size" <&9 >/job
say job
. /job

share() { $b mount -t 9p -o "trans=virtio,version=9p2000.L,msize=512000,$1" "$2" "$3" || fail "no 9p for $3"; }
# As udev does:
$b chmod 666 /dev/net/tun
$b ln -s /proc/self/fd /dev/fd
for stream_name in 0stdin 1stdout 2stderr; do $b ln -s "/proc/self/fd/${stream_name%std*}" "/dev/${stream_name#?}"; done
share ro,cache=loose root /host
$b mount -t tmpfs rw /rw
$b mkdir /rw/upper /rw/work
$b mount -t overlay -o lowerdir=/host,upperdir=/rw/upper,workdir=/rw/work root /new || fail 'no overlay'
$b mount -t proc proc /new/proc
$b mount -t sysfs sys /new/sys
$b mount -t devtmpfs dev /new/dev
$b mkdir -p /new/dev/pts /new/dev/shm
$b mount -t devpts -o ptmxmode=666 pts /new/dev/pts
$b mount -t tmpfs -o mode=1777 shm /new/dev/shm
[ -z "$hide_run" ] || $b mount -t tmpfs -o mode=755 run /new/run
$b mkdir -p /new@HOME@/bin
$b cp /bin/busybox /command /modules/vhost_net.ko /new@HOME@/
for name in ip insmod poweroff; do $b ln -sf ../busybox "/new@HOME@/bin/$name"; done
[ -z "$out" ] || share rw,cache=none out "/new$out"
for scope in all default; do echo 1 >/proc/sys/net/ipv6/conf/$scope/disable_ipv6; done  # no frames nobody asked for
$b ip link set lo up
echo root >&9

running() { read -r _ _ state _ <"/proc/$1/stat" && [ "$state" != Z ]; } 2>/dev/null
kill_others() {
    for process in /proc/[0-9]*; do
        case "$process" in /proc/1 | "/proc/$to_out" | "/proc/$to_err") ;; *) kill -9 "${process#/proc/}" ;; esac
    done
} 2>/dev/null

to_out=none to_err=none
command() { $b chroot . /bin/sh @HOME@/command 6<&- 7>&- 8>&- 9>&-; }
if [ -z "$stream" ]; then
    # Pipes: a port can be opened only once, so that "echo >/dev/stderr" would fail on it.
    $b mkfifo /rw/out /rw/err
    $b cat </rw/out >&7 &
    to_out=$!
    $b cat </rw/err >&8 &
    to_err=$!
    exec 4>/rw/out 5>/rw/err
fi
cd /new
$b mount --move . /
echo start >&9
if [ -z "$stream" ]; then
    { $b cat <&6 4>&- 5>&- & } | command >&4 2>&5 4>&- 5>&-
    code=$?
    exec 4>&- 5>&-
else
    command <&6 >&6 2>&8
    code=$?
fi
kill_others
while running "$to_out" || running "$to_err"; do kill_others; $b usleep 2000; done
[ -z "$out" ] || $b sync
printf %s "$mark" >&7
printf %s "$mark" >&8
echo "exit $code" >&9
while :; do $b sleep 3600; done
""".replace("@HOME@", HOME)


@dataclass(frozen=True)
class Job:
    """One command for the lab.

    ``mark`` ends its out and err ports; ``stream`` joins its input and output on port 1; ``out`` is a folder of the
    host that it may write; ``hide_run`` covers the host's /run (not where something needed lies below it).
    """

    argv: Sequence[str]
    cwd: Path
    environ: Mapping[str, str]
    mark: str
    stream: bool = False
    out: Path | None = None
    hide_run: bool = True

    def text(self) -> str:
        """The shell lines that say all this."""
        settings = {
            "mark": self.mark,
            "stream": "1" if self.stream else "",
            "out": str(self.out or ""),
            "hide_run": "1" if self.hide_run else "",
        }
        lines = [f"{name}={shlex.quote(value)}" for name, value in settings.items()]
        return "\n".join([*lines, f"$b cat >/command <<'{self.mark}'", *self._command(), self.mark, ""])

    def _command(self) -> list[str]:
        """The script that becomes the command, inside the new root."""
        exports = [f"export {name}={shlex.quote(value)}" for name, value in sorted(self.environ.items())]
        return [*exports, f"cd {shlex.quote(str(self.cwd))} || exit 126", f"exec {shlex.join(self.argv)}"]
