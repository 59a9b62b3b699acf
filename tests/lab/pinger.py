"""A guest that pings 10.0.2.2 for ever: BusyBox and virtio_net for the kernel at hand, and the QEMU that boots it."""

from __future__ import annotations

from pathlib import Path

from tour.lab import initramfs, modules, vmlinux
from tour.lab.initramfs import FILE, FOLDER, PROGRAM
from tour.lab.kernel import find_tools
from tour.lab.qemu import EMULATED_CPU, tsc_khz

MODULES = ("virtio_mmio", "virtio_net", "af_packet")
INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc none /proc
mount -t sysfs none /sys
mount -t devtmpfs none /dev
for name in $(cat /order); do insmod /modules/$name.ko; done
ip link set lo up
ip link set eth0 up
ip addr add 10.0.2.1/24 dev eth0
echo guest is up
while :; do ping -i 0.1 -c 1000 10.0.2.2; done
"""


def prepare(folder: Path) -> None:
    """``vmlinuz`` and ``guest.cpio`` in ``folder``."""
    tools = find_tools()
    order = modules.load_order(tools.kernel, MODULES)
    entries = [(name, FOLDER, b"") for name in ("bin", "dev", "modules", "proc", "sys")]
    entries += [("bin/busybox", PROGRAM, tools.busybox.read_bytes()), ("init", PROGRAM, INIT.encode())]
    entries += [(f"modules/{module.name}.ko", FILE, module.data) for module in order]
    entries.append(("order", FILE, "".join(f"{module.name}\n" for module in order).encode()))
    (folder / "guest.cpio").write_bytes(initramfs.pack(entries))
    image = tools.kernel.image
    (folder / "vmlinuz").write_bytes(vmlinux.extract(image) or image.read_bytes())


def qemu(folder: Path, *network: str) -> list[str]:
    """A microvm with ``network``, its QMP socket ``folder/qmp``, its console ``folder/console``."""
    clock = f"tsc_early_khz={tsc_khz()} tsc=reliable no_timer_check"
    return [
        "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none",
        "-serial", f"file:{folder}/console", "-M", "microvm,memory-backend=m", "-m", "128M",
        "-object", "memory-backend-memfd,id=m,size=128M,share=on",
        "-accel", "tcg,thread=single", "-cpu", EMULATED_CPU, "-smp", "1",
        "-kernel", f"{folder}/vmlinuz", "-initrd", f"{folder}/guest.cpio",
        "-append", f"console=ttyS0 panic=-1 reboot=t cryptomgr.notests mitigations=off random.trust_cpu=on {clock}",
        "-qmp", f"unix:{folder}/qmp,server=on,wait=off", *network,
        "-device", "virtio-net-device,netdev=n",
    ]  # fmt: skip
