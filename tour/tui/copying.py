"""A panel as plain text, for the clipboard: complete, not only what fits on the screen."""

from __future__ import annotations

from tour.trace import events as ev
from tour.trace.state import State
from tour.view.canvas import Canvas


def panel_text(panel: str, state: State, canvas: Canvas) -> str:
    """The system calls and stores so far for ``syscalls``, the line that ran for ``source``, else the screen."""
    if panel == "syscalls":
        return "".join(f"{line}\n" for event in state.log if (line := call_line(event)))
    if panel == "source" and state.last is not None and state.last.where:
        return f"{state.last.where}: {state.last.code.strip()}\n"
    return str(canvas)


def call_line(event: ev.Event) -> str:
    """One call or store as a line like strace's; empty for anything else."""
    data = event.data
    mark = "~" if event.inferred else ""
    if isinstance(data, ev.Ioctl):
        arg = ", ".join(f"{key}={value}" for key, value in data.arg.items())
        return f"{mark}ioctl({data.fd}, {data.name}, {{{arg}}}) = {_result(data.result, data.errno)}  {data.arg_hex}"
    if isinstance(data, ev.Syscall):
        return f"{mark}{data.name}({', '.join(data.args)}) = {_result(data.result, data.errno)}"
    if isinstance(data, ev.Store):
        name = ("rx", "tx")[data.queue] if data.queue in (0, 1) else str(data.queue)
        return f"{mark}store {name}.{data.field} {data.before} -> {data.after}"
    if isinstance(data, ev.Kick):
        return f"{mark}write({data.fd}, {data.value}) = 8  kick"
    return ""


def _result(result: int, errno: str | None) -> str:
    return f"{result} {errno}" if errno else str(result)
