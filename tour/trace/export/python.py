"""A recording as one program for Python 3.11's standard library: the twin of ``c``, made from the same acts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tour.trace.export import acts
from tour.trace.export.acts import FILE, NOTHING, STATE, WORD, Act, Hva, Program, about, telling

PRELUDE = Path(__file__).with_name("prelude.py.txt")
NAME = re.compile(r"[A-Z][A-Z0-9_]*")
PER_ROW = 24


def text(program: Program) -> str:
    """The whole program. Raises ExportError."""
    parts = program.parts
    head = "\n".join(
        ["#!/usr/bin/env python3", *(f"# {safe(line)}" for line in about(program, "sudo python3 lesson.py"))]
    )
    fds = "\n".join(f"{fd} = -1" for fd in program.fds)
    numbers = {act.name: act.request for act in program.acts if isinstance(act, acts.Vhost)}
    requests = "\n".join(f"{name} = {number:#x}" for name, number in numbers.items())
    bodies = [_function(step, part) for step, part in parts]
    main = ["own_network()", *(f"{_name(step)}()" for step, _ in parts),
            'print(f"{failures} of the results differ")', "sys.exit(failures != 0)"]  # fmt: skip
    pieces = [head, PRELUDE.read_text("utf-8").strip(), f"{requests}\n\n{fds}".strip(), *bodies, "\n".join(main)]
    return "\n\n\n".join(piece for piece in pieces if piece) + "\n"


def safe(line: str) -> str:
    """Words from a recording as they may stand in a comment."""
    return "".join(char if char.isprintable() else "?" for char in line)


def _name(step: str) -> str:
    return f"step_{re.sub(r'[^A-Za-z0-9_]', '_', step)}" if step else "set_up"


def _function(step: str, part: list[Act]) -> str:
    made = dict.fromkeys(fd for act in part for fd in acts.made_by(act))
    opened = [f"    global {', '.join(made)}"] if made else []
    body = [f"    {line}" if line else "" for act in part for line in lines(act)]
    return "\n".join([f"def {_name(step)}():", *opened, *body, *(["    pass"] if not _runs(body) else [])])


def _runs(body: list[str]) -> bool:
    return any(line.strip() and not line.lstrip().startswith("#") for line in body)


def lines(act: Act) -> list[str]:
    """One act as Python statements, not indented. Raises ExportError."""
    with telling():
        return list(_LINES[type(act)](act))


def _names(words: str, module: str) -> str:
    """Names of constants joined by ``|``, each from ``module``. Raises ValueError for anything else."""
    if words == "0":
        return "0"
    parts = words.split("|")
    if not all(NAME.fullmatch(part) for part in parts):
        raise ValueError(f"{words!r} are no names of constants")
    return " | ".join(f"{module}.{part}" if module else part for part in parts)


def _wanted(code: str) -> str:
    if code and not NAME.fullmatch(code):
        raise ValueError(f"{code!r} is no errno")
    return f', "{code}"' if code else ""


def _begin(act: acts.Begin) -> Iterator[str]:
    yield f"print({'chr(10) + ' + repr(act.step)})"


def _end(act: acts.End) -> Iterator[str]:
    if act.ended not in ("", "done", "quiescent"):
        yield f"# the step ended: {safe(act.ended)}"


def _say(act: acts.Say) -> Iterator[str]:
    yield f"# {safe(act.text)}"


def _open(act: acts.Open) -> Iterator[str]:
    made = "" if act.errno else f"{act.fd} = "
    call = f"lambda: os.open({act.path!r}, {_names(act.flags, 'os')})"
    yield f"{made}called({'open ' + act.path!r}, {call}{_wanted(act.errno)})"


def _eventfd(act: acts.Eventfd) -> Iterator[str]:
    yield f'{act.fd} = called("eventfd for {act.fd}", lambda: os.eventfd(0, {_names(act.flags, "os")}))'


def _pipe(act: acts.Pipe) -> Iterator[str]:
    yield f'{", ".join(act.ends)} = called("pipe2", lambda: os.pipe2({_names(act.flags, "os")}))'


def _plain(act: acts.Plain) -> Iterator[str]:
    wanted = _wanted(act.errno)
    if act.name == "socket":
        args = ", ".join(_names(str(arg), "socket") for arg in act.args)
        yield f'{act.fd} = called("socket", lambda: socket.socket({args}).detach())'
    elif act.name == "close":
        yield f'called("close", lambda: os.close({act.args[0]}){wanted})'
    elif act.name == "getsockopt":
        yield f"ask_type({act.args[0]}, {act.shown!r}{wanted})"
    else:
        yield f'called("read of an empty eventfd", lambda: os.eventfd_read({act.args[0]}){wanted})'


def _tun(act: acts.Tun) -> Iterator[str]:
    if act.link:
        yield f"tun_set_iff({act.fd}, {act.link!r}, {_names(act.flags, '')}{_wanted(act.errno)})"
        return
    numbers = {"TUNSETVNETHDRSZ": "0x400454D8", "TUNSETOFFLOAD": "0x400454D0"}
    value = str(act.number) if act.name == "TUNSETOFFLOAD" else f'struct.pack("=i", {act.number})'
    call = f"lambda: fcntl.ioctl({act.fd}, {numbers[act.name]}, {value})"
    yield f'called("{act.name}", {call}{_wanted(act.errno)})'


def _link(act: acts.Link) -> Iterator[str]:
    yield f"link_up({', '.join(map(repr, (act.name, act.mac, act.ip, act.guest_mac, act.guest_ip)))})"


def _map(act: acts.Map) -> Iterator[str]:
    yield f"map_region({act.gpa:#x}, {act.size:#x})"


def _vhost(act: acts.Vhost) -> Iterator[str]:
    index = act.args.get("index")
    ring = {0: " rx", 1: " tx"}.get(index, f" {index}") if isinstance(index, int) else ""
    argument = _argument(act)
    call = f"lambda: fcntl.ioctl({act.fd}, {act.name}{argument})"
    answered = f'called("{act.name}{ring}", {call}{_wanted(act.errno)})'
    if not act.out:
        yield answered
        return
    yield f"answer = {answered}"
    if act.name in STATE:
        number = int(act.out["num"])
        yield f'told(struct.unpack("=II", answer)[1] == {number}, "num", struct.unpack("=II", answer)[1], {number})'
    else:
        yield f"# it was {int(act.out['features']):#x} in the recording; another kernel may have another"
        yield "print(f\"      {struct.unpack('=Q', answer)[0]:#x}\")"


def _argument(act: acts.Vhost) -> str:
    args = act.args
    if act.name in NOTHING:
        return ""
    if act.name in STATE:
        return f', struct.pack("=II", {int(args["index"])}, {int(args.get("num", 0))})'
    if act.name in FILE:
        return f', struct.pack("=Ii", {int(args["index"])}, {args["fd"]})'
    if act.name in WORD:
        return f', struct.pack("=Q", {int(args.get("features", 0)):#x})'
    if act.name == "VHOST_SET_VRING_ADDR":
        where = ", ".join(_hva(args[part]) for part in ("desc", "used", "avail"))
        return f', struct.pack("=IIQQQQ", {int(args["index"])}, {int(args["flags"])}, {where}, {int(args["log"])})'
    if act.name == "VHOST_SET_MEM_TABLE":
        rows = "".join(
            f' + struct.pack("=QQQQ", {r["gpa"]:#x}, {r["size"]:#x}, {_hva(r["hva"])}, 0)' for r in args["regions"]
        )
        return f', struct.pack("=II", {len(args["regions"])}, 0){rows}'
    return f", {bytes.fromhex(act.raw) or bytes(8)!r}"


def _hva(where: Any) -> str:
    if isinstance(where, Hva):
        return f"hva({where.gpa:#x})" if where.gpa is not None else f"{where.raw:#x}"
    return f"{int(where):#x}"


def _put(act: acts.Put) -> Iterator[str]:
    yield f"# {safe(act.what)}: {len(act.data)} bytes"
    yield from _data(f"put({act.gpa:#x}, ", act.data)


def _data(before: str, data: bytes) -> Iterator[str]:
    """A call whose last argument is bytes, hexadecimal."""
    rows = [data[at : at + PER_ROW].hex(" ") for at in range(0, len(data), PER_ROW)]
    if len(rows) < 2:
        yield f'{before}bytes.fromhex("{"".join(rows)}"))'
        return
    yield f"{before}bytes.fromhex("
    yield from (f'    "{row} "' for row in rows)
    yield "))"


def _desc(act: acts.Desc) -> Iterator[str]:
    yield f"describe({act.gpa:#x}, {act.addr:#x}, {act.len}, {act.flags}, {act.next})  # {safe(act.field)}"


def _word(act: acts.Word) -> Iterator[str]:
    yield f"{'publish' if act.release else 'store'}({act.gpa:#x}, {act.value})  # {safe(act.field)}"


def _kick(act: acts.Kick) -> Iterator[str]:
    yield f'kick("{act.queue} kick", {act.fd})'


def _drain(act: acts.Drain) -> Iterator[str]:
    yield f'drain("{act.queue} calls read", {act.fd}, {act.value})'


def _await(act: acts.Await) -> Iterator[str]:
    yield f'wait_for("{act.queue} {act.field}", {act.gpa:#x}, {act.value}, {act.call})'


def _used(act: acts.Used) -> Iterator[str]:
    yield f'used("{act.queue} used.ring[{act.slot}]", {act.gpa:#x}, {act.id}, {act.len})'


def _bytes(act: acts.Bytes) -> Iterator[str]:
    yield from _data(f"written({act.gpa:#x}, ", act.data)


def _still(act: acts.Still) -> Iterator[str]:
    yield "# nothing moved for 200 ms"
    for queue, (gpa, value) in act.idx.items():
        yield f'still("{queue} used.idx", {gpa:#x}, {value})'


def _reap(act: acts.Reap) -> Iterator[str]:
    yield f'print("      {act.queue}: descriptor {act.head} taken back, {act.len} bytes written by the device")'


def _not_open(act: acts.NotOpen) -> Iterator[str]:
    yield f"not_open({act.path!r})"


_LINES: dict[type, Callable[[Any], Iterator[str]]] = {
    acts.Begin: _begin, acts.End: _end, acts.Say: _say, acts.Open: _open, acts.Eventfd: _eventfd, acts.Plain: _plain,
    acts.Pipe: _pipe, acts.Tun: _tun, acts.Link: _link, acts.Map: _map, acts.Put: _put, acts.Desc: _desc,
    acts.Word: _word, acts.Kick: _kick, acts.Drain: _drain, acts.Await: _await, acts.Used: _used, acts.Bytes: _bytes,
    acts.Vhost: _vhost, acts.Still: _still, acts.Reap: _reap, acts.NotOpen: _not_open,
}  # fmt: skip
