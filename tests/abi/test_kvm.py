"""KVM's numbers and structs are those of the headers at hand."""

from __future__ import annotations

import platform
import subprocess
from pathlib import Path

import pytest

from tour.abi import kvm


@pytest.mark.skipif(platform.machine() != "x86_64", reason="KVM's structs are those of x86-64")
def test_the_compiler_finds_the_same(tmp_path: Path) -> None:
    lines = ["#include <stddef.h>", "#include <linux/kvm.h>"]
    for table in kvm.TABLES:
        lines += [f'_Static_assert({fact.name} == {int(fact):#x}, "{fact.name}");' for fact in table]
    for layout in kvm.LAYOUTS:
        lines += [f'_Static_assert(sizeof({layout.ctype}) == {layout.size}, "{layout.ctype}");']
        lines += [f'_Static_assert(offsetof({layout.ctype}, {name}) == {layout.offset(name)}, "{name}");'
                  for name in layout.fields]  # fmt: skip
    lines += [f'_Static_assert(offsetof(struct kvm_regs, {name}) == {kvm.REGS.offset(name)}, "{name}");'
              for name in kvm.REGS.fields]  # fmt: skip
    lines += [
        f'_Static_assert(sizeof(struct kvm_sregs) == {kvm.SREGS_SIZE}, "sregs");',
        f'_Static_assert(sizeof(struct kvm_segment) == {kvm.SEGMENT_SIZE}, "segment");',
        f'_Static_assert(offsetof(struct kvm_sregs, cs) == {kvm.SREGS_CS}, "cs");',
        '_Static_assert(offsetof(struct kvm_segment, selector) == 12, "selector");',
        f'_Static_assert(offsetof(struct kvm_run, io) == {kvm.RUN_IO_AT}, "io");',
        '_Static_assert(offsetof(struct kvm_run, immediate_exit) == 1, "immediate_exit");',
        '_Static_assert(offsetof(struct kvm_run, exit_reason) == 8, "exit_reason");',
        f'_Static_assert(offsetof(struct kvm_run, io.data_offset) == {kvm.RUN_IO_AT + 8}, "data_offset");',
        f'_Static_assert(sizeof(struct kvm_stats_desc) == {kvm.STATS_DESC.size}, "stats_desc");',
        f'_Static_assert(KVM_API_VERSION == {kvm.API_VERSION}, "version");',
    ]
    source = tmp_path / "kvm.c"
    source.write_text("\n".join(lines) + "\n")
    done = subprocess.run(["gcc", "-fsyntax-only", str(source)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
