"""The site's examples, run as they stand: ``python -m tests.docs.examples`` does it where the network is our own."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.support import ROOT, wait_until
from tour.device.vhost_user.front_end import VhostUserDevice
from tour.net.frames import GUEST_IP, GUEST_MAC, PEER_IP, arp_request
from tour.net.null import NullPort
from tour.net.wired import NEAR_LINK, PEER_LINK, Wires
from tour.scene.packets import PacketIO

FOLDER = ROOT / "docs" / "examples"
REQUEST = arp_request(GUEST_MAC, GUEST_IP, PEER_IP)
SENT = 3


def start(name: str, *words: str) -> subprocess.Popen[str]:
    argv = [sys.executable, str(FOLDER / name), *words]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT)


def ended(example: subprocess.Popen[str]) -> str:
    said, _ = example.communicate(timeout=60)
    assert example.returncode == 0, said
    return said


def line(example: subprocess.Popen[str]) -> str:
    assert example.stdout is not None
    return example.stdout.readline()


def send_frame(device: str) -> None:
    assert ended(start("send_frame.py")) == f"{device}: Used(head=0, len=0), avail.idx 1, used.idx 1\n"


def packets(device: str) -> None:
    assert re.fullmatch(rf"{device}: 100 sent; \d+ received, the first of 42 bytes\n", ended(start("packets.py")))


def sniffer(device: str) -> None:
    """Frames that pass a pair of links are all told, with their addresses and lengths."""
    wires = Wires(None)
    with ExitStack() as stack:
        stack.callback(wires.remove)
        wires.pair()
        example = start("sniffer.py", PEER_LINK, str(SENT))
        assert line(example) == f"{device}: listening on {PEER_LINK}\n"
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
            sender.bind((NEAR_LINK, 0))
            for number in range(SENT):
                sender.send(bytes.fromhex("020000000002 020000000001 88b5") + bytes(60 + number))
        told = ended(example)
    for number in range(SENT):
        assert f"   {74 + number} 02:00:00:00:00:01 -> 02:00:00:00:00:02 88b5\n" in told, told


def served_and_watched() -> None:
    """The server serves a front end of ours; whoever watches sees both rings move."""
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/net.sock"
        server = start("vhost_user_server.py", path)
        assert line(server) == "listening\n"
        watcher = start("watch_guest.py", path)
        assert line(watcher) == "watching\n"
        with VhostUserDevice(path=path) as front_end, PacketIO(front_end, NullPort()) as io:
            assert io.send(REQUEST * 5, len(REQUEST)) == 5
            assert io.wait_received(10.0, 5)
            told = ""
            while "queue 0: avail.idx 256, used.idx 5" not in told or "queue 1: avail.idx 5, used.idx 5" not in told:
                told += line(watcher)
                assert watcher.poll() is None, told
        said = ended(server)
        assert "VHOST_USER_SET_MEM_TABLE" in said and "refused" not in said, said
        assert "queue 1: 5 packets" in told + ended(watcher)


def main(device: str) -> int:
    wait_until(lambda: Path("/sys/class/net/lo").exists(), "a network")
    send_frame(device)
    packets(device)
    sniffer(device)
    served_and_watched()
    print("all ran")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
