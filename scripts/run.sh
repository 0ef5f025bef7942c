#!/usr/bin/env bash
# Starts hissrv with a simulated plant: redis-server on a free loopback port, `hissrv demo` on it, data in ./data.
# Ctrl-C stops both, and nothing else. LISTEN and DATA_DIR may be set.
# Both run in sessions of their own (setsid), so that Ctrl-C reaches only this script, which then stops them in order.
set -euo pipefail
cd "$(dirname "$0")/.."

listen=${LISTEN:-127.0.0.1:6004}
data_dir=${DATA_DIR:-./data}
redis_pid=
hissrv_pid=
redis_dir=

stop() {
  # IMPORTANT: hissrv first, so that it can take in what Redis still has for it.
  for pid in $hissrv_pid $redis_pid; do
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  if [ -n "$redis_dir" ]; then rm -rf "$redis_dir"; fi
}

is_listening() {
  (exec 3<>"/dev/tcp/${1%:*}/${1##*:}") 2>/dev/null
}

# Waits until process $2 listens on $1; fails when it ends before or takes over 30 s.
wait_for() {
  for _ in $(seq 300); do
    kill -0 "$2" 2>/dev/null || return 1
    if is_listening "$1"; then return 0; fi
    sleep 0.1
  done
  return 1
}

start_redis() {
  redis_dir=$(mktemp -d)
  for _ in $(seq 20); do
    redis_port=$((20000 + RANDOM % 10000))
    if is_listening "127.0.0.1:$redis_port"; then continue; fi
    setsid redis-server --bind 127.0.0.1 --port "$redis_port" --dir "$redis_dir" --save "" --appendonly no \
      --logfile "$redis_dir/redis.log" &
    redis_pid=$!
    if wait_for "127.0.0.1:$redis_port" "$redis_pid"; then return 0; fi
  done
  echo "run: redis-server does not start; its last words:" >&2
  tail -n 5 "$redis_dir/redis.log" >&2
  return 1
}

if is_listening "$listen"; then
  echo "run: something listens on $listen already; choose another with LISTEN=127.0.0.1:PORT" >&2
  exit 1
fi
scripts/install-deps.sh redis-server
cargo build --release --locked --package hissrv

trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
start_redis
setsid "${CARGO_TARGET_DIR:-target}/release/hissrv" demo --redis "redis://127.0.0.1:$redis_port" --listen "$listen" --data-dir "$data_dir" &
hissrv_pid=$!
wait_for "$listen" "$hissrv_pid" || { echo "run: hissrv did not start" >&2; exit 1; }
printf '\nhissrv is ready: http://%s/   (data in %s, Redis on port %s; Ctrl-C stops it)\n\n' "$listen" "$data_dir" "$redis_port"
wait "$hissrv_pid"
