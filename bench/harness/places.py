"""Where things are, and how the programs are built. Data, logs and results live below $BENCH, never in the source tree."""
import json
import os
import pathlib
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BENCH = pathlib.Path(os.environ.get("BENCH") or pathlib.Path(tempfile.gettempdir(), "hissrv-bench"))
TOOLS = BENCH / "target" / "release"
DATA, LOGS, RESULTS, RUN = BENCH / "data", BENCH / "logs", BENCH / "results", BENCH / "run"


def prepare():
    """Creates the folders below $BENCH."""
    for folder in (DATA, LOGS, RESULTS, RUN):
        folder.mkdir(parents=True, exist_ok=True)


def build_tools():
    """Builds lpgen, lpload, redislim and redispub."""
    cargo_build(ROOT / "bench", [], BENCH / "target")


def build_hissrv():
    """Builds the release binary that is shipped to users and gives its path."""
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target")
    cargo_build(ROOT, ["--package", "hissrv"], target)
    return target / "release" / "hissrv"


def cargo_build(folder, arguments, target):
    command = ["cargo", "build", "--quiet", "--release", "--locked", *arguments]
    subprocess.run(command, cwd=folder, check=True, env=os.environ | {"CARGO_TARGET_DIR": str(target)})


def record(name, result):
    """Appends a result as one JSON line to $BENCH/results/NAME.jsonl."""
    with open(RESULTS / f"{name}.jsonl", "a") as lines:
        lines.write(json.dumps(result) + "\n")
