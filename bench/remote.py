#!/usr/bin/env python3
"""Feeds real stores from hissrv's journal and compares with the plain loader, which is the ceiling.

Per store and number of workers: the loader writes a data set straight into a fresh store with as many connections; then hissrv
takes the same set into its journal while the store is paused, is told to resume, and is timed until the store has everything.
Printed: both rates, their ratio, and hissrv's own processor time per million values while it feeds. Then a longer backlog. What
arrived is counted in the store. PostgreSQL has no loader; its rates stand alone. Results are appended to $BENCH/results/remote.jsonl.
"""
import argparse
import http.client
import json
import os
import platform
import shutil
import subprocess
import time
import urllib.parse

from harness import load, machine, places
from harness.child import Child, end_on_signals, free_port
from harness.machine import cpu_seconds
from harness.report import median, table, thousands
from harness.servers import Hissrv, InfluxDb, Server, VictoriaMetrics, expect_ok

FREE_DISK_GIB = 8
POLL_S = 0.05
# The last batch, which is not full, waits this long for more; by default a second, which would be most of what is measured here.
MAX_WAIT = "50ms"
LIMIT_S = 600
POSTGRES_PROGRAMS = "/usr/lib/postgresql/15/bin"


class PostgreSql(Server):
    """PostgreSQL as Debian has it, each commit synced."""

    name = "postgres"

    def as_owner(self, *command):
        """The server refuses root."""
        owner = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.getuid() == 0 else []
        return [*owner, *command]

    def start(self):
        data = self.folder / "data"
        if not data.exists():
            if os.getuid() == 0:
                shutil.chown(self.folder, "postgres", "postgres")
                for parent in self.folder.parents:
                    if parent.stat().st_uid == 0 and parent.stat().st_mode & 0o001 == 0:
                        parent.chmod(parent.stat().st_mode | 0o001)
            quiet = {"check": True, "stdout": subprocess.DEVNULL}
            subprocess.run(self.as_owner(f"{POSTGRES_PROGRAMS}/initdb", "-D", str(data), "-U", "hissrv", "-A", "trust"), **quiet)
        self.child = Child(self.name, self.as_owner(
            f"{POSTGRES_PROGRAMS}/postgres", "-D", str(data), "-p", str(self.port), "-k", str(self.folder),
            "-c", "listen_addresses=127.0.0.1", "-c", "shared_buffers=512MB", "-c", "max_wal_size=4GB"))
        return self.child.wait_until(lambda: self.sql("SELECT 1", "postgres") == "1")

    def sql(self, statement, database="hissrv"):
        """The answer of psql, empty when it fails."""
        url = f"postgres://hissrv@127.0.0.1:{self.port}/{database}"
        done = subprocess.run(["psql", url, "-Atqc", statement], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
        return done.stdout.strip()

    def create_database(self, database):
        self.sql("CREATE DATABASE hissrv", "postgres")

    def section(self):
        """Its settings in hissrv's configuration."""
        return f'postgres: {{ url: "postgres://hissrv@127.0.0.1:{self.port}/hissrv" }}'

    def count_points(self, measurements, _database):
        counts = [self.sql(f'SELECT count(value) FROM telemetry."{name}"') for name in measurements]
        return sum(int(count or 0) for count in counts)


def influx_section(self):
    """The section `influxdb` stands beside `storage`."""
    return "influxdb: { enabled: true }"


def victoria_section(self):
    """Its settings in hissrv's configuration."""
    return f'victoriametrics: {{ url: "http://127.0.0.1:{self.port}" }}'


InfluxDb.section = influx_section
VictoriaMetrics.section = victoria_section
STORES = {store.name: store for store in (InfluxDb, VictoriaMetrics, PostgreSql)}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stores", nargs="+", choices=list(STORES), default=list(STORES))
    parser.add_argument("--workers", nargs="+", type=int, default=[1, 4, 8])
    parser.add_argument("--values", type=int, default=2_000_000, help="values of each run (default 2 M)")
    parser.add_argument("--backlog", type=int, default=10_000_000, help="values of the long backlog, 0 for none (default 10 M)")
    parser.add_argument("--runs", type=int, default=3, help="runs of each, in turn; medians count (default 3)")
    parser.add_argument("--hissrv", metavar="FILE", help="use this binary instead of building one")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    end_on_signals()
    places.prepare()
    machine.require_free_disk(places.BENCH, FREE_DISK_GIB)
    places.build_tools()
    Hissrv.binary = arguments.hissrv or places.build_hissrv()
    print(f"machine: {os.cpu_count()} processors, {platform.platform()}")
    for name in arguments.stores:
        cases = [(workers, arguments.values, arguments.runs) for workers in arguments.workers]
        if arguments.backlog and name != "postgres":
            cases.append((4, arguments.backlog, 1))
        table(f"{name}: ems values from the journal, beside the loader",
              ["workers", "values", "loader/s", "hissrv/s", "ratio", "min-max", "hissrv cpu-s/M", "peak MiB", "not found"],
              [row(STORES[name], *case) for case in cases])


def row(store, workers, values, runs):
    """Runs loader and hissrv in turn."""
    loaded, fed = [], []
    for _ in range(runs):
        if store is not PostgreSql:
            loaded.append(load_once(store, workers, values))
        fed.append(feed_once(store, workers, values))
    ceiling = median(loaded, "values_per_s") if loaded else None
    rates = [run["values_per_s"] for run in fed]
    rate = median(fed, "values_per_s")
    ratios = [run["values_per_s"] / ceiling for run in fed] if ceiling else []
    return [workers, f"{values:,}", thousands(ceiling) if ceiling else "-", thousands(rate),
            f"{rate / ceiling:.2f}" if ceiling else "-", f"{min(ratios):.2f}-{max(ratios):.2f}" if ratios else
            f"{thousands(min(rates))}-{thousands(max(rates))}", f"{median(fed, 'cpu_s_per_million'):.3f}",
            f"{max(run['peak_mib'] for run in fed):.0f}", sum(run["values"] - run["found"] for run in fed)]


def load_once(store, workers, values):
    """The plain loader into a fresh store."""
    with store("ceiling") as server:
        server.start()
        server.create_database("telemetry")
        machine.wait_until_quiet()
        result = load.run_tool("lpload", "--url", f"http://127.0.0.1:{server.port}/write?db=telemetry", "--file",
                               load.DATA_SETS["ems"].file(values), "--conns", workers, "--pid", server.pid)
    result |= {"store": store.name, "workers": workers, "how": "loader"}
    places.record("remote", result)
    return result


class Feeder(Hissrv):
    """A hissrv that keeps nothing itself and feeds one store."""

    def __init__(self, store, workers):
        super().__init__(f"feeds-{store.name}", redis=(
            "redis: { enabled: false }\n"
            f'influxdb: {{ url: "http://127.0.0.1:{store.port}" }}\n'
            f"storage: {{ embedded: {{ enabled: false }}, {store.section()} }}\n"
            f"writer: {{ num_workers: {workers}, max_wait: {MAX_WAIT} }}"))
        self.store = store.name

    def act(self, action):
        """Pauses or resumes the feeding."""
        expect_ok(self.port, "POST", "/api/v1/admin/store?" + urllib.parse.urlencode({"name": self.store, "action": action}))

    def writer(self):
        """The state of the feeding."""
        return self.status()["stores"][0]["writer"]


def feed_once(store_class, workers, values):
    """The journal is filled while the store is paused; then the feeding is timed."""
    with store_class("fed") as store, Feeder(store, workers) as hissrv:
        store.start()
        store.create_database("telemetry")
        hissrv.start()
        hissrv.act("pause")
        load.run_tool("lpload", "--url", hissrv.write_url(""), "--file", load.DATA_SETS["ems"].file(values), "--conns", 4)
        machine.wait_until_quiet()
        cpu, start = cpu_seconds(hissrv.pid), time.monotonic()
        hissrv.act("resume")
        while hissrv.writer()["stored"] < values:
            if time.monotonic() - start > LIMIT_S:
                raise RuntimeError(f"{store.name}: not everything was stored after {LIMIT_S} s: {hissrv.writer()}")
            time.sleep(POLL_S)
        seconds = time.monotonic() - start
        used = cpu_seconds(hissrv.pid) - cpu
        result = {
            "store": store.name, "workers": workers, "how": "hissrv", "values": values, "values_per_s": values / seconds,
            "cpu_s_per_million": used / values * 1e6, "peak_mib": machine.memory_mib(hissrv.pid, "VmHWM"),
        }
        if store.name == "victoriametrics":
            expect_ok(store.port, "GET", "/internal/force_flush")
        result["found"] = store.count_points(load.DATA_SETS["ems"].measurements, "telemetry")
    places.record("remote", result)
    return result


if __name__ == "__main__":
    try:
        main()
    except (json.JSONDecodeError, http.client.HTTPException) as error:
        raise SystemExit(f"a server or tool answered with something unexpected: {error}") from error
    except KeyboardInterrupt:
        raise SystemExit("stopped; all servers that were started are stopped, too") from None
