"""A recording as one C11 program that needs nothing but the kernel's headers and a C library.

It makes the same calls and stores in the same order, waits for the device, and compares what it finds with what was
recorded: exit code 0 if all of it is as it was, else 1. It runs in a network namespace of its own, as root.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tour.trace.export import acts
from tour.trace.export.acts import FILE, NOTHING, STATE, WORD, Act, Hva, Program, about, telling

BUILD = "gcc -std=c11 -Wall -Wextra -o lesson lesson.c && sudo ./lesson"
PRELUDE = Path(__file__).with_name("prelude.c.txt")
FLAGS = ((1, "VRING_DESC_F_NEXT"), (2, "VRING_DESC_F_WRITE"), (4, "VRING_DESC_F_INDIRECT"))
SYMBOL = re.compile(r"[A-Z][A-Z0-9_]*(\|[A-Z][A-Z0-9_]*)*|0")
PER_ROW = 10


def text(program: Program) -> str:
    """The whole program. Raises ExportError."""
    parts = program.parts
    bodies = [_function(step, part) for step, part in parts]
    calls = [f"    {_name(step)}();" for step, _ in parts]
    head = [
        *_comment(about(program, BUILD)),
        f"#define REGIONS {max(1, program.regions)}",
        PRELUDE.read_text("utf-8").rstrip(),
    ]
    main = ["int main(void)", "{", "    setvbuf(stdout, NULL, _IOLBF, 0);", "    own_network();", *calls,
            '    printf("%d of the results differ\\n", failures);', "    return failures != 0;", "}"]  # fmt: skip
    pieces = ["\n".join(head), _fallbacks(program), _descriptors(program), *bodies, "\n".join(main)]
    return "\n\n".join(piece for piece in pieces if piece) + "\n"


def step_text(program: Program, step: str) -> str:
    """The function of one step, without what it rests on; empty when the recording has no such step."""
    part = next((part for name, part in program.parts if name == step), None)
    if part is None:
        return ""
    told = []
    if program.device != "kernel" and any(isinstance(act, acts.Vhost) for act in part):
        told.append("/* the embedded device: no system call was made, these are the calls it stands for */")
    return "\n".join([*told, _function(step, part)])


def _comment(lines: list[str]) -> list[str]:
    return ["/*", *(f" * {safe(line)}" for line in lines), " */"]


def safe(line: str) -> str:
    """Words from a recording as they may stand in a comment."""
    return "".join(char if " " <= char != "\x7f" else "?" for char in line).replace("*/", "* /").replace("/*", "/ *")


def _fallbacks(program: Program) -> str:
    """The numbers of vhost's calls, for headers that are older."""
    numbers = {act.name: act.request for act in program.acts if isinstance(act, acts.Vhost)}
    return "\n".join(f"#ifndef {name}\n#define {name} {number:#x}UL\n#endif" for name, number in numbers.items())


def _descriptors(program: Program) -> str:
    return f"static int {', '.join(f'{fd} = -1' for fd in program.fds)};" if program.fds else ""


def _name(step: str) -> str:
    return f"step_{re.sub(r'[^A-Za-z0-9_]', '_', step)}" if step else "set_up"


def _function(step: str, part: list[Act]) -> str:
    body = [f"    {line}" if line else "" for act in part for line in lines(act)]
    return "\n".join([f"static void {_name(step)}(void)", "{", *body, "}"])


def lines(act: Act) -> list[str]:
    """One act as C statements, not indented. Raises ExportError."""
    with telling():
        return list(_LINES[type(act)](act))


def quoted(words: str) -> str:
    """A C string literal of any text."""
    kept = "".join(
        char if " " <= char <= "~" and char not in '"\\?' else "".join(f"\\{byte:03o}" for byte in char.encode())
        for char in words
    )
    return f'"{kept}"'


def symbols(words: str) -> str:
    """Names joined by ``|`` as C has them. Raises ValueError for anything else."""
    if not SYMBOL.fullmatch(words):
        raise ValueError(f"{words!r} are no names of constants")
    return " | ".join(words.split("|"))


def _errno(code: str) -> str:
    return symbols(code) if code else "0"


def _fd(fd: str | int) -> str:
    return str(fd)


def _begin(act: acts.Begin) -> Iterator[str]:
    yield f'printf("\\n%s\\n", {quoted(act.step)});'


def _end(act: acts.End) -> Iterator[str]:
    if act.ended not in ("", "done", "quiescent"):
        yield f"/* the step ended: {safe(act.ended)} */"


def _say(act: acts.Say) -> Iterator[str]:
    yield f"/* {safe(act.text)} */"


def _open(act: acts.Open) -> Iterator[str]:
    yield (f"{act.fd} = called({quoted('open ' + act.path)}, open({quoted(act.path)}, {symbols(act.flags)}), "
           f"{_errno(act.errno)});")  # fmt: skip


def _eventfd(act: acts.Eventfd) -> Iterator[str]:
    yield f"{act.fd} = called({quoted('eventfd for ' + act.fd)}, eventfd(0, {symbols(act.flags)}), 0);"


def _pipe(act: acts.Pipe) -> Iterator[str]:
    yield "{"
    yield "    int ends[2];"
    yield ""
    yield f'    called("pipe2", pipe2(ends, {symbols(act.flags)}), 0);'
    yield f"    {act.ends[0]} = ends[0];"
    yield f"    {act.ends[1]} = ends[1];"
    yield "}"


def _plain(act: acts.Plain) -> Iterator[str]:
    code = _errno(act.errno)
    if act.name == "socket":
        args = ", ".join(symbols(str(arg)) for arg in act.args)
        yield f'{act.fd} = called("socket", socket({args}), 0);'
    elif act.name == "close":
        yield f'called("close", close({_fd(act.args[0])}), {code});'
    elif act.name == "getsockopt":
        yield "{"
        yield "    int type = 0;"
        yield "    socklen_t size = sizeof type;"
        yield ""
        yield f'    called("getsockopt", getsockopt({_fd(act.args[0])}, SOL_SOCKET, SO_TYPE, &type, &size), {code});'
        if act.shown:
            yield f'    told(type == {symbols(act.shown)}, "SO_TYPE", type, {symbols(act.shown)});'
        yield "}"
    else:
        yield "{"
        yield "    eventfd_t value;"
        yield ""
        yield f'    called("read of an empty eventfd", eventfd_read({_fd(act.args[0])}, &value), {code});'
        yield "}"


def _tun(act: acts.Tun) -> Iterator[str]:
    if act.link:
        yield f"tun_set_iff({_fd(act.fd)}, {quoted(act.link)}, {symbols(act.flags)}, {_errno(act.errno)});"
        return
    value = f"{act.number:#x}" if act.name == "TUNSETOFFLOAD" else f"&(int){{ {act.number} }}"
    yield f'called("{symbols(act.name)}", ioctl({_fd(act.fd)}, {act.name}, {value}), {_errno(act.errno)});'


def _link(act: acts.Link) -> Iterator[str]:
    yield f"link_up({', '.join(map(quoted, (act.name, act.mac, act.ip, act.guest_mac, act.guest_ip)))});"


def _map(act: acts.Map) -> Iterator[str]:
    yield f"map_region({int(act.index)}, {act.gpa:#x}, {act.size:#x});"


def _vhost(act: acts.Vhost) -> Iterator[str]:
    declared, argument, after = _argument(act)
    call = f"called({quoted(_told(act))}, ioctl({_fd(act.fd)}, {act.name}{argument}), {_errno(act.errno)});"
    if not declared and not after:
        yield call
        return
    yield "{"
    for line in declared:
        yield f"    {line}"
    yield ""
    for line in (*after[0], call, *after[1]) if after else (call,):
        yield f"    {line}"
    yield "}"


def _told(act: acts.Vhost) -> str:
    index = act.args.get("index")
    ring = {0: " rx", 1: " tx"}.get(index, f" {index}") if isinstance(index, int) else ""
    return act.name + ring


Parts = tuple[list[str], str, tuple[list[str], list[str]] | None]


def _argument(act: acts.Vhost) -> Parts:
    """Declarations, the ioctl's third argument, and what comes before and after the call."""
    args = act.args
    if act.name in NOTHING:
        return [], ", NULL", None
    if act.name in STATE:
        state = f"struct vhost_vring_state state = {{ {int(args['index'])}, {int(args.get('num', 0))} }};"
        back = (
            [f'told(state.num == {int(act.out["num"])}, "num", state.num, {int(act.out["num"])});'] if act.out else []
        )
        return [state], ", &state", ([], back) if back else None
    if act.name in FILE:
        return [f"struct vhost_vring_file file = {{ {int(args['index'])}, {_fd(args['fd'])} }};"], ", &file", None
    if act.name in WORD:
        return _word_argument(act)
    if act.name == "VHOST_SET_VRING_ADDR":
        return _addr(args), ", &addr", None
    if act.name == "VHOST_SET_MEM_TABLE":
        return _table(args["regions"])
    return _raw(act)


def _word_argument(act: acts.Vhost) -> Parts:
    if not act.out:
        return [f"uint64_t word = {int(act.args['features']):#x};"], ", &word", None
    told = f"the word was {int(act.out['features']):#x} in the recording; another kernel may have another"
    shown = ['printf("      %#llx\\n", (unsigned long long)word);', f"/* {told} */"]
    return ["uint64_t word = 0;"], ", &word", ([], shown)


def _hva(where: Any) -> str:
    if isinstance(where, Hva):
        return f"hva({where.gpa:#x})" if where.gpa is not None else f"{where.raw:#x}ULL"
    return f"{int(where):#x}ULL"


def _addr(args: dict[str, Any]) -> list[str]:
    return [
        "struct vhost_vring_addr addr = {",
        f"    .index = {int(args['index'])}, .flags = {int(args['flags'])}, .log_guest_addr = {int(args['log']):#x},",
        f"    .desc_user_addr = {_hva(args['desc'])}, .avail_user_addr = {_hva(args['avail'])},",
        f"    .used_user_addr = {_hva(args['used'])},",
        "};",
    ]


def _table(regions: list[dict[str, Any]]) -> Parts:
    size = f"sizeof(struct vhost_memory) + {len(regions)} * sizeof(struct vhost_memory_region)"
    rows = [
        f"table->regions[{n}] = (struct vhost_memory_region){{ {r['gpa']:#x}, {r['size']:#x}, {_hva(r['hva'])}, 0 }};"
        for n, r in enumerate(regions)
    ]
    before = ["if (!table)", "    exit(1);", f"table->nregions = {len(regions)};", *rows]
    return [f"struct vhost_memory *table = calloc(1, {size});"], ", table", (before, ["free(table);"])


def _raw(act: acts.Vhost) -> Parts:
    data = bytes.fromhex(act.raw)
    return [*_array("raw", data or bytes(8))], ", raw", None


def _array(name: str, data: bytes) -> list[str]:
    rows = [data[at : at + PER_ROW] for at in range(0, len(data), PER_ROW)]
    return [
        f"unsigned char {name}[] = {{",
        *(f"    {', '.join(f'0x{byte:02x}' for byte in row)}," for row in rows),
        "};",
    ]


def _put(act: acts.Put) -> Iterator[str]:
    yield f"/* {safe(act.what)}: {len(act.data)} bytes */"
    if not any(act.data):
        yield f"memset(at({act.gpa:#x}), 0, {len(act.data)});"
        return
    yield "{"
    yield from (f"    {line}" for line in _array("data", act.data))
    yield ""
    yield f"    put({act.gpa:#x}, data, sizeof data);"
    yield "}"


def _desc(act: acts.Desc) -> Iterator[str]:
    names = [name for bit, name in FLAGS if act.flags & bit] + ([f"{act.flags & ~7:#x}"] if act.flags & ~7 else [])
    yield (f"describe({act.gpa:#x}, {act.addr:#x}, {act.len}, {' | '.join(names) or 0}, {act.next}); "
           f"/* {safe(act.field)} */")  # fmt: skip


def _word(act: acts.Word) -> Iterator[str]:
    verb = "publish" if act.release else "store"
    yield f"{verb}({act.gpa:#x}, {act.value}); /* {safe(act.field)} */"


def _kick(act: acts.Kick) -> Iterator[str]:
    yield f"kick({quoted(act.queue + ' kick')}, {_fd(act.fd)});"


def _drain(act: acts.Drain) -> Iterator[str]:
    yield f"drain({quoted(act.queue + ' calls read')}, {_fd(act.fd)}, {act.value});"


def _await(act: acts.Await) -> Iterator[str]:
    yield f"await({quoted(f'{act.queue} {act.field}')}, {act.gpa:#x}, {act.value}, {_fd(act.call)});"


def _used(act: acts.Used) -> Iterator[str]:
    yield f"used({quoted(f'{act.queue} used.ring[{act.slot}]')}, {act.gpa:#x}, {act.id}, {act.len});"


def _bytes(act: acts.Bytes) -> Iterator[str]:
    yield "{"
    yield from (f"    {line}" for line in _array("wanted", act.data))
    yield ""
    yield f"    bytes({act.gpa:#x}, wanted, sizeof wanted);"
    yield "}"


def _still(act: acts.Still) -> Iterator[str]:
    yield "/* nothing moved for 200 ms */"
    for queue, (gpa, value) in act.idx.items():
        yield f"still({quoted(f'{queue} used.idx')}, {gpa:#x}, {value});"


def _reap(act: acts.Reap) -> Iterator[str]:
    yield f'printf("      {act.queue}: descriptor {act.head} taken back, {act.len} bytes written by the device\\n");'


def _not_open(act: acts.NotOpen) -> Iterator[str]:
    yield f"not_open({quoted(act.path)});"


_LINES: dict[type, Callable[[Any], Iterator[str]]] = {
    acts.Begin: _begin, acts.End: _end, acts.Say: _say, acts.Open: _open, acts.Eventfd: _eventfd, acts.Plain: _plain,
    acts.Pipe: _pipe, acts.Tun: _tun, acts.Link: _link, acts.Map: _map, acts.Put: _put, acts.Desc: _desc,
    acts.Word: _word, acts.Kick: _kick, acts.Drain: _drain, acts.Await: _await, acts.Used: _used, acts.Bytes: _bytes,
    acts.Vhost: _vhost, acts.Still: _still, acts.Reap: _reap, acts.NotOpen: _not_open,
}  # fmt: skip
