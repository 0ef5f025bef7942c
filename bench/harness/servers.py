"""The servers under test, all on loopback with fresh folders: how each is started, written to, settled, counted.

A new server is one more subclass of `Server` and its line in `SERVERS`.
"""
import http.client
import json
import re
import shutil
import subprocess
import time
import urllib.parse

from .child import Child, free_port
from .machine import cpu_seconds, folder_bytes
from .places import RUN

IDLE_LIMIT_S = 180
DATA_START_S = 1_795_132_800  # where lpgen begins unless told otherwise; the sets are shorter than a day


def request(port, method, path, body=None, timeout_s=600):
    """One HTTP request to loopback; gives (status, body)."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def expect_ok(port, method, path, body=None):
    """Like `request`, but anything except 2xx is an error."""
    status, answer = request(port, method, path, body)
    if not 200 <= status < 300:
        raise RuntimeError(f"{method} {path}: {status} {answer[:300]!r}")
    return answer


class Server:
    """A server with a data folder below $BENCH/run. Use in a `with` block; `start()` and `stop()` may alternate inside it."""

    name = ""
    ready_path = "/ready"
    dialect = "influxql"

    def __init__(self, label, keep=False):
        self.folder = RUN / f"{self.name}-{label}"
        self.port = free_port()
        self.keep = keep
        self.child = None

    def __enter__(self):
        if not self.keep:
            shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, *_):
        self.stop()
        if not self.keep:
            shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def pid(self):
        return self.child.pid

    def start(self):
        """Starts it on the data it has; gives the seconds until it says that it is ready."""
        self.child = Child(self.name, self.command())
        return self.child.wait_until(lambda: request(self.port, "GET", self.ready_path, timeout_s=5)[0] in (200, 204))

    def stop(self):
        """Stops it cleanly; gives the seconds that took."""
        return self.child.stop() if self.child else 0.0

    def write_url(self, database):
        return f"http://127.0.0.1:{self.port}/write?db={self.database(database)}"

    def database(self, wanted):
        """Name of the database that stands for `wanted`."""
        return wanted

    def create_database(self, database):
        """Makes the database writable, where that is needed."""

    def wait_until_idle(self, seconds_quiet=4):
        """Waits until it uses next to no processor time."""
        deadline = time.monotonic() + IDLE_LIMIT_S
        quiet, before = 0, cpu_seconds(self.pid)
        while quiet < seconds_quiet and time.monotonic() < deadline:
            time.sleep(2)
            now = cpu_seconds(self.pid)
            quiet = quiet + 2 if now - before <= 0.06 else 0
            before = now

    def data_bytes(self):
        """Bytes that the stored values take, without journals."""
        raise NotImplementedError

    def total_bytes(self):
        """Bytes of the whole data folder."""
        return folder_bytes(self.folder)


class Hissrv(Server):
    """The release binary of this project; every write is answered after its fsync."""

    name = "hissrv"
    binary = None  # set once it is built

    def __init__(self, label, keep=False, redis="redis: { enabled: false }"):
        super().__init__(label, keep)
        self.redis = redis

    def command(self):
        config = self.folder / "hissrv.yaml"
        config.write_text(
            f'server: {{ listen: "127.0.0.1:{self.port}" }}\n'
            f'data_dir: {json.dumps(str(self.folder / "data"))}\n'
            f"journal: {{ fsync: always }}\n{self.redis}\n")
        return [self.binary, "run", "--config", config]

    def database(self, wanted):
        return "telemetry"

    def settle(self):
        """Flushes the head and compacts; the answer comes when all of it is done."""
        before = cpu_seconds(self.pid)
        expect_ok(self.port, "POST", "/api/v1/admin/flush?compact=true")
        return cpu_seconds(self.pid) - before

    def count_points(self, measurements, _database):
        """Values that a query finds: the count of every field of the measurements."""
        return sum(self._count(measurement) for measurement in measurements)

    def _count(self, measurement):
        status, answer = request(self.port, "GET", f"/api/v1/fields?measurement={measurement}")
        if status == 404:  # nothing of that measurement is stored
            return 0
        fields = [field["name"] for field in json.loads(answer)["fields"]]
        body = json.dumps({"aggregate_type": "statistical", "function": "count", "measurement": measurement,
                           "fields": fields, "group_by": []})
        status, answer = request(self.port, "POST", "/api/v1/query/aggregate", body)
        if status != 200:
            raise RuntimeError(f"count of {measurement}: {status} {answer[:300]!r}")
        return sum(cell or 0 for series in json.loads(answer)["series"] for row in series["values"] for cell in row[1:])

    def status(self):
        """The JSON of /api/v1/status."""
        return json.loads(expect_ok(self.port, "GET", "/api/v1/status"))

    def data_bytes(self):
        return self.total_bytes() - folder_bytes(self.folder / "data" / "journal")

    def total_bytes(self):
        return folder_bytes(self.folder / "data")


class VictoriaMetrics(Server):
    """Answers a write from memory: what it has acknowledged in the last seconds dies with it."""

    name = "victoriametrics"
    program = "victoria-metrics"
    ready_path = "/health"
    dialect = "promql"

    def command(self):
        return [self.program, f"-storageDataPath={self.folder}", f"-httpListenAddr=127.0.0.1:{self.port}",
                "-retentionPeriod=100y", "-loggerLevel=WARN"]

    def settle(self):
        before = cpu_seconds(self.pid)
        expect_ok(self.port, "GET", "/internal/force_flush")
        expect_ok(self.port, "GET", "/internal/force_merge")
        self._wait_for_merges()
        self.wait_until_idle()
        return cpu_seconds(self.pid) - before

    def _wait_for_merges(self):
        deadline = time.monotonic() + IDLE_LIMIT_S
        while time.monotonic() < deadline:
            time.sleep(0.5)
            metrics = expect_ok(self.port, "GET", "/metrics").decode()
            active = re.search(r"^vm_active_force_merges\S* (\S+)", metrics, re.M)
            if not active or float(active.group(1)) == 0:
                return

    def count_points(self, measurements, _database):
        names = "|".join(f"{name}_.*" for name in measurements)
        query = f'sum(count_over_time({{__name__=~"{names}"}}[2d]))'
        parameters = urllib.parse.urlencode({"query": query, "time": DATA_START_S + 86_400, "nocache": 1})
        result = json.loads(expect_ok(self.port, "GET", f"/api/v1/query?{parameters}"))["data"]["result"]
        return int(result[0]["value"][1]) if result else 0

    def data_bytes(self):
        return self.total_bytes()


INFLUX_CONFIG = """reporting-disabled = true
bind-address = "127.0.0.1:{rpc_port}"
[meta]
  dir = "{folder}/meta"
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
  index-version = "inmem"
  query-log-enabled = false
  {settling}
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:{port}"
  log-enabled = false
"""
INFLUX_SETTLING = 'cache-snapshot-write-cold-duration = "1s"\n  compact-full-write-cold-duration = "1s"'


class InfluxDb(Server):
    """InfluxDB 1.x with its default limits; its write-ahead log is synced before each answer."""

    name = "influxdb"
    program = "influxd"
    ready_path = "/ping"
    settling = False

    def command(self):
        config = self.folder / "influx.conf"
        settling = INFLUX_SETTLING if self.settling else ""
        config.write_text(INFLUX_CONFIG.format(
            folder=self.folder, port=self.port, rpc_port=free_port(), settling=settling))
        return [self.program, "run", "-config", config]

    def create_database(self, database):
        expect_ok(self.port, "POST", "/query?" + urllib.parse.urlencode({"q": f"CREATE DATABASE {database}"}))

    def settle(self):
        """It compacts fully only what was not written for hours: restarts once with that wait set to a second."""
        before = cpu_seconds(self.pid)
        self.wait_until_idle()
        used = cpu_seconds(self.pid) - before
        self.stop()
        self.settling = True
        self.start()
        time.sleep(3)
        self.wait_until_idle(6)
        used += cpu_seconds(self.pid)
        self.stop()
        self.settling = False
        self.start()
        return used

    def count_points(self, measurements, database):
        names = ",".join(f'"{name}"' for name in measurements)
        parameters = urllib.parse.urlencode({"db": database, "q": f"SELECT count(*) FROM {names}"})
        result = json.loads(expect_ok(self.port, "GET", f"/query?{parameters}"))["results"][0]
        return sum(sum(series["values"][0][1:]) for series in result.get("series", []))

    def data_bytes(self):
        return folder_bytes(self.folder / "data")


SERVERS = {server.name: server for server in (Hissrv, VictoriaMetrics, InfluxDb)}


def version_of(server):
    """What the program says about its version, or what its package says when it tells nothing (Debian's VictoriaMetrics)."""
    if server is Hissrv:
        return first_line([str(Hissrv.binary), "--version"])
    asked = [server.program, "version" if server is InfluxDb else "-version"]
    return first_line(asked) or first_line(["dpkg-query", "-W", server.program]) or "version unknown"


def first_line(command):
    """First line that a command prints, empty when it prints nothing."""
    shown = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return shown.stdout.strip().partition("\n")[0] if shown.returncode == 0 else ""
