"""One event of each kind that the lesson itself does not have."""

from __future__ import annotations

from tour.trace import events as ev

EVENTS: dict[str, ev.AnyPayload] = {
    "Opened": ev.Opened("embedded"),
    "Closed": ev.Closed("embedded"),
    "Features": ev.Features("device", 1 << 32 | 1 << 15 | 1 << 5),
    "Threads": ev.Threads(
        [ev.Looked("/proc/self/task", 3, 4, [ev.Found(4712, "vhost-4711")]), ev.Looked("/proc", 9, 9)], 4712
    ),
    "Holders": ev.Holders("/dev/kvm", 2, 31, [ev.Found(4711, "qemu")]),
    "Translated": ev.Translated(0x40000, 54, 0x7F20C8000000),
    "Call": ev.Call(1, 10, 1),
    "Drain": ev.Drain(1, 10, 1),
    "Action": ev.Action("map", 1, {"gpa": 0x40000, "hva": 0x7F20C0000000, "len": 54}),
    "Note": ev.Note("no.such.key", {"n": 1}),
    "Broken": ev.Broken(1, "head is outside the descriptor table", "kernel"),
    "Question": ev.Question("publish", ["a", "b"]),
    "Answer": ev.Answer("publish", "a", "b", 1),
    "Check": ev.Check("publish", "idx", False, "tx.avail.idx == 1", "0"),
    "Error": ev.Error("The tap was refused.", "EPERM", "sudo modprobe tun"),
    "Lost": ev.Lost(3),
    "Message": ev.Message("VHOST_USER_SET_VRING_NUM", 8, 1, {"index": 1, "num": 256}, "0100000000010000", 0, 0),
    "Watching": ev.Watching("socket", "/run/s", 4711, "qemu"),
    "Sample": ev.Sample(1, 1, 2, 256, 7, 0, 5, 0),
    "Rates": ev.Rates(1, 1, 5, 5, 300),
    "Figure": ev.Figure("loop.syscalls", 3),
    "Point": ev.Point("latency", "flags", 1.0, 12.5),
    "Listing": ev.Listing("copies", [["read()", "54"]]),
    "Program": ev.Program("kick", [ev.Instruction(0x7000, "ef", "out dx, ax")]),
    "Cpu": ev.Cpu(0x7001, {"ax": 1, "dx": 0x510}, 1, halted=True),
    "Exit": ev.Exit("IO", 0x510, 2, 1),
    "Serving": ev.Serving(1, "embedded", "engine"),
    "Done": ev.Done(4),
    "Bye": ev.Bye(),
}
