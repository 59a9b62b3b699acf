"""A front end for the tests of ``spawn``: starts the victim, tells who is who, and what it learns of its end.

Usage: frontend.py DEGRADE THREAD, which are yes or no, and main or other (spawn in another thread).
Lines on standard output: ``pids HELPER INIT LAYERS REFUSED``, ``agent WORDS``, ``end REASON``; or
``missing NAME WHY FIX``.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from tour.agent.spawn import AgentProcess, spawn  # noqa: E402
from tour.errors import CapabilityMissing  # noqa: E402

VICTIM = str(Path(__file__).with_name("victim.py"))


def main() -> None:
    """See the module's text."""
    degrade, thread = sys.argv[1:]
    pool = ThreadPoolExecutor(1)

    def start() -> AgentProcess:
        return spawn([sys.executable, VICTIM], degrade=degrade == "yes")

    try:
        agent = pool.submit(start).result() if thread == "other" else start()
    except CapabilityMissing as error:
        print(f"missing\t{error.name}\t{error.why}\t{error.fix}", flush=True)
        return
    layers = ",".join(agent.layers), ",".join(agent.refused)
    print("pids", agent.pid, agent.init_pid, *layers, sep="\t", flush=True)
    print("agent", agent.stream.recv(4096).decode().strip(), sep="\t", flush=True)
    while agent.stream.recv(4096):
        pass
    agent.wait(10)
    print("end", agent.reason(), sep="\t", flush=True)
    agent.close()


if __name__ == "__main__":
    main()
