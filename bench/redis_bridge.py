#!/usr/bin/env python3
"""Measures the way from Redis into hissrv with a real redis-server: is anything lost, how fast, at what cost.

Messages: `comsrv:{channel}:m` with `{point}:{value}:{ms}`, all distinct, at a fixed rate and flat out. What was sent, what Redis
delivered (its own count of receivers) and what hissrv has stored must be the same number.
Hashes: `comsrv:{channel}:T` and `:T:ts`, polled every second; idle cost, then every field updated between polls.
Results are also appended to $BENCH/results/redis_*.jsonl.
"""
import argparse
import shutil
import socket
import statistics
import time

from harness import machine, places
from harness.child import Child, end_on_signals, free_port
from harness.load import run_tool
from harness.report import table, thousands
from harness.servers import Hissrv

# Redis gives up on a subscriber that is 256 MB behind, or 64 MB for a minute: the bridge has to be faster than that.
OUTPUT_BUFFER = "pubsub 256mb 64mb 60"
IDLE_CPU_S = 0.05
SETTLE_LIMIT_S = 120
POLL_INTERVAL_S = 1
IDLE_POLLS_S = 10


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=3_000_000, help="messages of each run (default 3 M)")
    parser.add_argument("--rates", type=int, nargs="*", default=[500_000, 0], help="messages/s; 0 is flat out (default 500000 0)")
    parser.add_argument("--hashes", type=int, default=2_000, help="hashes of 100 fields; 0 leaves them out (default 2000)")
    parser.add_argument("--rounds", type=int, default=5, help="updates of all hashes (default 5)")
    parser.add_argument("--hissrv", metavar="FILE", help="use this binary instead of building one")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    end_on_signals()
    places.prepare()
    places.build_tools()
    Hissrv.binary = arguments.hissrv or places.build_hissrv()
    lost = 0
    if arguments.rates:
        results = [messages(arguments.messages, rate) for rate in arguments.rates]
        print_messages(results)
        lost += sum(result["sent"] - result["stored"] for result in results)
    if arguments.hashes:
        result = hashes(arguments.hashes, arguments.rounds)
        print_hashes(result)
        lost += result["sent"] - result["stored"]
    if lost:
        raise SystemExit(f"FAILED: {lost} values sent are not stored")


class Redis(Child):
    """A redis-server without persistence on a free port."""

    def __init__(self):
        self.port = free_port()
        self.folder = places.RUN / "redis"
        self.folder.mkdir(parents=True, exist_ok=True)
        super().__init__("redis", [
            "redis-server", "--bind", "127.0.0.1", "--port", self.port, "--dir", self.folder,
            "--save", "", "--appendonly", "no", "--client-output-buffer-limit", OUTPUT_BUFFER])

    def __enter__(self):
        try:
            self.wait_until(lambda: self.ask("PING") == "+PONG", timeout_s=10)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def ask(self, command):
        """First line of the reply to a command without spaces in its parts."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            connection.sendall(f"{command}\r\n".encode())
            return connection.makefile().readline().rstrip()


def hissrv_on(redis, snapshot):
    section = f'redis: {{ url: "redis://{redis.address}", patterns: ["comsrv:*"], snapshot: {snapshot} }}'
    return Hissrv("redis", redis=section)


def messages(count, rate):
    """One run of published messages."""
    with Redis() as redis, hissrv_on(redis, "{ enabled: false }") as server:
        server.start()
        server.child.wait_until(lambda: redis.ask("PUBSUB NUMPAT") == ":1", timeout_s=30)
        before, redis_before = machine.cpu_seconds(server.pid), machine.cpu_seconds(redis.pid)
        pace = ["--rate", rate] if rate else []
        result = run_tool("redispub", "--mode", "messages", "--addr", redis.address, "--n", count, *pace)
        result["offered_per_s"] = rate or None
        result["redis_cpu_s"] = machine.cpu_seconds(redis.pid) - redis_before
        result["drain_s"] = wait_until_idle(server)
        result["hissrv_cpu_s"] = machine.cpu_seconds(server.pid) - before
        result["hissrv_hwm_mib"] = machine.memory_mib(server.pid, "VmHWM")
        result["stored"] = server.count_points(["measurement"], server.database("telemetry"))
        result["sources"] = server.status().get("sources")
    places.record("redis_messages", result)
    return result


def wait_until_idle(server):
    """Waits until the server has nothing left to do; gives the seconds that took."""
    start = time.monotonic()
    before = machine.cpu_seconds(server.pid)
    while time.monotonic() - start < SETTLE_LIMIT_S:
        time.sleep(1)
        now = machine.cpu_seconds(server.pid)
        if now - before < IDLE_CPU_S:
            break
        before = now
    return time.monotonic() - start


def print_messages(results):
    rows = [[
        thousands(result["offered_per_s"]) if result["offered_per_s"] else "flat out", result["sent"], result["receivers"],
        result["stored"], result["sent"] - result["stored"], thousands(result["msgs_per_s"]),
        f"{result['hissrv_cpu_s'] / result['sent'] * 1e6:.2f}", f"{result['redis_cpu_s'] / result['sent'] * 1e6:.2f}",
        f"{result['hissrv_hwm_mib']:.0f}", f"{result['drain_s']:.1f}",
    ] for result in results]
    table("published messages, one data point each", [
        "offered/s", "sent", "delivered", "stored", "lost", "sent/s", "hissrv us/msg", "redis us/msg", "hissrv MiB",
        "idle after s"], rows)


def hashes(count, rounds):
    """Polling of hashes: first unchanged, then updated `rounds` times, each as soon as the one before is stored."""
    with Redis() as redis:
        sent = update(redis, count, 0)["sent"]
        snapshot = f'{{ interval: {POLL_INTERVAL_S}s, scan_interval: 5s, include: ["comsrv:*"] }}'
        with hissrv_on(redis, snapshot) as server:
            server.start()
            result = {"fields": sent, "first_poll_s": wait_until_journaled(server, sent)}
            before = machine.cpu_seconds(server.pid)
            time.sleep(IDLE_POLLS_S)
            result["unchanged_cpu_share"] = (machine.cpu_seconds(server.pid) - before) / IDLE_POLLS_S
            before, delays, polls = machine.cpu_seconds(server.pid), [], []
            for number in range(1, rounds + 1):
                sent += update(redis, count, number)["sent"]
                delays.append(wait_until_journaled(server, sent))
                polls.append(server.status()["sources"][0]["state"]["poll"]["last_duration_s"])
            result["changed_cpu_s"] = machine.cpu_seconds(server.pid) - before
            result["changed_poll_s"] = polls
            result |= {"rounds": rounds, "sent": sent, "stored": stored(server), "stored_after_s": delays,
                       "hissrv_hwm_mib": machine.memory_mib(server.pid, "VmHWM"), "sources": server.status().get("sources")}
    places.record("redis_hashes", result)
    return result


def update(redis, count, number):
    """Sets all fields to new values with a time of their own."""
    return run_tool("redispub", "--mode", "hashes", "--addr", redis.address, "--channels", count,
                    "--start-ms", 1_795_132_800_000 + number * 1000, "--seed", number + 1)


def stored(server):
    return server.count_points(["measurement"], server.database("telemetry"))


def wait_until_journaled(server, expected, limit_s=30):
    """Waits until so many values are durable; gives the seconds that took. What is missing then shows in the result."""
    start = time.monotonic()
    while server.status()["intake"]["redis"]["journaled"] < expected and time.monotonic() - start < limit_s:
        time.sleep(0.1)
    return time.monotonic() - start


def print_hashes(result):
    changed = max(1, result["fields"] * result["rounds"])
    idle = result["unchanged_cpu_share"]
    read_per_cpu_s = result["fields"] / POLL_INTERVAL_S / idle if idle > 0 else float("inf")
    table(f"hashes polled every {POLL_INTERVAL_S} s: {result['fields']:,} fields, each with its time", [
        "sent", "stored", "lost", "unchanged: cores", "read/cpu-s", "changed: read/s", "us/value", "first poll s",
        "stored after s (max)", "hissrv MiB"], [[
            result["sent"], result["stored"], result["sent"] - result["stored"], f"{idle:.3f}", thousands(read_per_cpu_s),
            thousands(result["fields"] / statistics.median(result["changed_poll_s"])),
            f"{result['changed_cpu_s'] / changed * 1e6:.2f}", f"{result['first_poll_s']:.2f}",
            f"{max(result['stored_after_s'], default=0):.2f}", f"{result['hissrv_hwm_mib']:.0f}"]])


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        raise SystemExit("stopped; redis-server and hissrv are stopped, too") from None
