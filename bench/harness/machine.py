"""Figures from /proc: processor time and memory of a process, what the whole machine did, size of a folder."""
import os
import re
import shutil
import time
from dataclasses import dataclass

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    """User and system time of all threads of a process, in seconds."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def memory_mib(pid, field="VmRSS"):
    """A memory field of /proc/PID/status (VmRSS, RssAnon, VmHWM), in MiB."""
    with open(f"/proc/{pid}/status") as status:
        found = re.search(rf"^{field}:\s+(\d+) kB", status.read(), re.M)
    return int(found.group(1)) / 1024


@dataclass
class MachineTime:
    """Processor seconds of the whole machine since its start."""

    busy_s: float
    stolen_s: float


def machine_time():
    """Busy and stolen processor time so far; idle and waiting for disks are neither."""
    with open("/proc/stat") as stat:
        user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, stat.readline().split()[1:9])
    return MachineTime((user + nice + system + irq + softirq) / TICKS_PER_SECOND, steal / TICKS_PER_SECOND)


def wait_until_quiet(limit_s=30, share=0.08):
    """Waits until the machine was next to idle for 2 s. False when that did not come: somebody else works here, too."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        before = machine_time().busy_s
        time.sleep(2)
        if (machine_time().busy_s - before) / 2 / (os.cpu_count() or 1) < share:
            return True
    return False


def folder_bytes(folder):
    """Length of all files below a folder, for sparse files what they really take (InfluxDB reserves space ahead).

    Files that vanish meanwhile, as merges do, do not count.
    """
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            try:
                found = os.stat(os.path.join(path, name))
                total += min(found.st_size, found.st_blocks * 512)
            except FileNotFoundError:
                continue
    return total


def require_free_disk(folder, gib):
    """Ends the program when less than `gib` GiB are free at `folder`."""
    free = shutil.disk_usage(folder).free / 2**30
    if free < gib:
        raise SystemExit(f"{folder}: {free:.1f} GiB free, {gib} GiB needed; set BENCH to a folder with more room")
