"""Child processes that end with us: stopped by their own id, also after Ctrl-C, SIGTERM or an exception."""
import signal
import socket
import subprocess
import sys
import time

from .places import LOGS

STOP_TIMEOUT_S = 120


def end_on_signals():
    """Makes SIGTERM raise SystemExit, so that `with` blocks stop their children as they do after Ctrl-C."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def free_port():
    """A loopback port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Child:
    """One process; its output goes to $BENCH/logs/NAME.log."""

    def __init__(self, name, command):
        self.name = name
        with open(LOGS / f"{name}.log", "ab") as log:
            # A session of its own: Ctrl-C reaches only us, and we stop it in order.
            self.process = subprocess.Popen(
                [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def wait_until(self, ready, timeout_s=180):
        """Asks `ready()` until it is true; gives the seconds that took. OSError counts as not yet."""
        start = time.monotonic()
        while not self._answers(ready):
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.name} ended with {self.process.returncode}; see {LOGS / self.name}.log")
            if time.monotonic() - start > timeout_s:
                raise RuntimeError(f"{self.name} was not ready after {timeout_s} s; see {LOGS / self.name}.log")
            time.sleep(0.005)
        return time.monotonic() - start

    @staticmethod
    def _answers(ready):
        try:
            return ready()
        except OSError:
            return False

    def stop(self):
        """Ends it with SIGTERM (SIGKILL when that takes too long); gives the seconds that took."""
        start = time.monotonic()
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                print(f"{self.name} ignored SIGTERM for {STOP_TIMEOUT_S} s and is killed", file=sys.stderr)
                self.kill()
        return time.monotonic() - start

    def kill(self):
        """Ends it at once, as a crash would."""
        self.process.kill()
        self.process.wait()
