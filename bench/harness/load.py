"""Data sets and the loader. A set is generated once and kept below $BENCH/data."""
import json
import subprocess
from dataclasses import dataclass

from .places import DATA, TOOLS


@dataclass(frozen=True)
class DataSet:
    """A workload: what lpgen makes of it and what a query has to know."""

    name: str
    database: str
    measurements: tuple
    values_per_line: int
    values_per_tick: int
    options: tuple

    def file(self, values):
        """The file holding `values` values, made if it is not there yet."""
        ticks = max(1, values // self.values_per_tick)
        path = DATA / f"{self.name}-{ticks}.lp"
        if not path.exists():
            part = path.with_suffix(".part")
            run_tool("lpgen", *self.options, "--ticks", ticks, "--out", part)
            part.rename(path)
        return path


EMS = ("measurement", "signal", "control", "adjustment")
DATA_SETS = {
    data_set.name: data_set
    for data_set in (
        DataSet("ems", "ems", EMS, 1, 10_000, ("--set", "ems")),
        DataSet("emslong", "ems", EMS, 1, 1_000, ("--set", "ems", "--channels", "10")),
        DataSet("devops", "devops", ("cpu",), 10, 10_000, ("--set", "devops")),
    )
}


def run_tool(name, *arguments):
    """Runs one of our tools; gives the JSON object that it prints."""
    command = [str(TOOLS / name), *(str(argument) for argument in arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{name} failed with status {done.returncode}")
    return json.loads(done.stdout)


def load(server, data_set, values, connections):
    """Writes a data set into a running server; gives what lpload reports."""
    return run_tool("lpload", "--url", server.write_url(data_set.database), "--file", data_set.file(values),
                    "--conns", connections, "--values-per-line", data_set.values_per_line, "--pid", server.pid)
