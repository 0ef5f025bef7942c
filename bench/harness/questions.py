"""The queries, each in InfluxQL and in MetricsQL. A run draws its series and window from a seeded generator: runs differ, but
every server is asked the same. The two languages are close, not equal: compare the counts of rows before the times.
"""
from dataclasses import dataclass
from typing import Callable

from .servers import DATA_START_S

EMS_TABLES = '"measurement",signal,control,adjustment'  # MEASUREMENT is a keyword of InfluxQL: it needs its quotes
EMS_METRICS = '{__name__=~"(measurement|signal|control|adjustment)_value"%s}'
CPU_FIELDS = ("usage_user", "usage_system", "usage_idle", "usage_nice", "usage_iowait", "usage_irq", "usage_softirq",
              "usage_steal", "usage_guest", "usage_guest_nice")
HOSTS = 1000


@dataclass(frozen=True)
class Draw:
    """What one run asks for: series, the window [start, end) in seconds, and the span of the whole set."""

    channel: int
    point: int
    hosts: tuple
    start: int
    end: int
    set_end: int

    @property
    def window(self):
        return between(self.start, self.end)

    @property
    def whole(self):
        return between(DATA_START_S, self.set_end)

    @property
    def one(self):
        return f'measurement_value{{channel="{self.channel}",point="{self.point}"}}'

    @property
    def where_hosts(self):
        return "(" + " or ".join(f"hostname = 'host_{host}'" for host in self.hosts) + ")"

    def cpu(self, fields):
        """Selector of the first fields, of the drawn hosts if there are any."""
        host = f',hostname=~"{"|".join(f"host_{host}" for host in self.hosts)}"' if self.hosts else ""
        return f'{{__name__=~"cpu_({"|".join(CPU_FIELDS[:fields])})"{host}}}'


@dataclass(frozen=True)
class Question:
    """One query: how long its window is, how many hosts it names, its text per language."""

    name: str
    influxql: Callable
    metricsql: Callable
    window_s: int = 3600
    hosts: int = 0

    def draw(self, random, seconds, channels):
        """Parameters of one run on a set of so many seconds and channels."""
        length = min(self.window_s, seconds)
        start = DATA_START_S + random.randrange(seconds - length + 1)
        return Draw(1001 + random.randrange(channels), 10_001 + random.randrange(60),
                    tuple(random.sample(range(HOSTS), self.hosts)), start, start + length, DATA_START_S + seconds)


def between(start, end):
    return f"time >= {start}000000000 AND time < {end}000000000"


def at(query, time):
    """An instant query."""
    return "/api/v1/query", {"query": query, "time": time}


def steps(query, start, end, step):
    """A range query whose steps end the windows; a started window counts whole, as GROUP BY time() has it."""
    count = -(-(end - start) // step)
    return "/api/v1/query_range", {"query": query, "start": start + step, "end": start + count * step, "step": step}


def each(function, count):
    """`max(usage_user), max(usage_system) ...`"""
    return ", ".join(f"{function}({field})" for field in CPU_FIELDS[:count])


ALL = EMS_METRICS % ""
EMS = (
    Question("last_one", lambda d: f"SELECT last(value) FROM \"measurement\" WHERE channel='{d.channel}' AND point='{d.point}'",
             lambda d: at(f"last_over_time({d.one}[1h])", d.set_end)),
    Question("last_all", lambda d: f"SELECT last(value) FROM {EMS_TABLES} GROUP BY channel,point,type",
             lambda d: at(f"last_over_time({ALL}[1h])", d.set_end)),
    Question("raw_one_1h",
             lambda d: f"SELECT value FROM \"measurement\" WHERE channel='{d.channel}' AND point='{d.point}' AND {d.window}",
             lambda d: at(f"{d.one}[{d.end - d.start}s]", d.end)),
    Question("mean_1m_one",
             lambda d: f"SELECT mean(value) FROM \"measurement\" WHERE channel='{d.channel}' AND point='{d.point}' "
                       f"AND {d.whole} GROUP BY time(1m)",
             lambda d: steps(f"avg_over_time({d.one}[1m])", DATA_START_S, d.set_end, 60)),
    Question("agg4_1m_100",
             lambda d: f"SELECT mean(value),min(value),max(value),count(value) FROM {EMS_TABLES} "
                       f"WHERE channel='{d.channel}' AND {d.whole} GROUP BY time(1m),point",
             lambda d: steps('aggr_over_time(("avg_over_time","min_over_time","max_over_time","count_over_time"),'
                             + EMS_METRICS % f',channel="{d.channel}"' + "[1m])", DATA_START_S, d.set_end, 60)),
    Question("mean_1h_all", lambda d: f"SELECT mean(value) FROM {EMS_TABLES} WHERE {d.whole} GROUP BY time(1h)",
             lambda d: steps(f"avg(avg_over_time({ALL}[1h])) by (__name__)", DATA_START_S, d.set_end, 3600)),
    Question("mean_1h_by_series",
             lambda d: f"SELECT mean(value) FROM {EMS_TABLES} WHERE {d.whole} GROUP BY time(1h),channel,point",
             lambda d: steps(f"avg_over_time({ALL}[1h])", DATA_START_S, d.set_end, 3600)),
    Question("mean_1m_by_series",
             lambda d: f"SELECT mean(value) FROM {EMS_TABLES} WHERE {d.whole} GROUP BY time(1m),channel,point",
             lambda d: steps(f"avg_over_time({ALL}[1m])", DATA_START_S, d.set_end, 60)),
)


def maxima(name, fields, hosts, window_s, step_s, group):
    """Maxima of some fields of some hosts per window, as the Time Series Benchmark Suite asks for them."""
    return Question(
        name,
        lambda d: f"SELECT {each('max', fields)} FROM cpu WHERE {d.where_hosts} AND {d.window} GROUP BY time({group})",
        lambda d: steps(f"max(max_over_time({d.cpu(fields)}[{group}])) by (__name__)", d.start, d.end, step_s),
        window_s, hosts)


def means_by_host(name, fields):
    return Question(
        name, lambda d: f"SELECT {each('mean', fields)} FROM cpu WHERE {d.window} GROUP BY time(1h),hostname",
        lambda d: steps(f"avg(avg_over_time({d.cpu(fields)}[1h])) by (__name__, hostname)", d.start, d.end, 3600), 43_200)


DEVOPS = (
    maxima("single-groupby-1-1-1", 1, 1, 3600, 60, "1m"),
    maxima("single-groupby-5-8-1", 5, 8, 3600, 60, "1m"),
    maxima("cpu-max-all-8", 10, 8, 28_800, 3600, "1h"),
    means_by_host("double-groupby-1", 1),
    means_by_host("double-groupby-all", 10),
    Question("lastpoint", lambda d: "SELECT * FROM cpu GROUP BY hostname ORDER BY time DESC LIMIT 1",
             lambda d: at(f"last_over_time({d.cpu(10)}[1h])", d.set_end)),
    Question("high-cpu-1", lambda d: f"SELECT * FROM cpu WHERE usage_user > 90.0 AND {d.where_hosts} AND {d.window}",
             lambda d: steps(f"{d.cpu(10)} and on(hostname) ({d.cpu(1)} > 90)", d.start, d.end, 10), 43_200, 1),
    Question("groupby-orderby-limit",
             lambda d: f"SELECT max(usage_user) FROM cpu WHERE time < {d.end}000000000 GROUP BY time(1m) LIMIT 5",
             lambda d: steps(f"max(max_over_time({d.cpu(1)}[1m]))", d.end - 300, d.end, 60)),
)
QUESTIONS = {"ems": EMS, "emslong": EMS, "devops": DEVOPS}
