#!/usr/bin/env bash
# Asks a real influxd and hissrv the same random questions: starts both on free loopback ports with temporary data directories,
# runs conformance/differential.py on them and stops just these two.
#   scripts/differential.sh [--hissrv BINARY | --influxd] [options of differential.py, for instance --seed 7 --queries 5000]
# --influxd: a second influxd (other index, one thread) takes hissrv's place; what differs then is not defined at all.
set -euo pipefail
cd "$(dirname "$0")/.."

hissrv=
pids=()
folder=$(mktemp -d)

stop() {
  for pid in "${pids[@]}"; do
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  rm -rf "$folder"
}

is_listening() {
  (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# Waits until process $2 listens on port $1; fails when it ends before or takes over 30 s.
wait_for() {
  for _ in $(seq 600); do
    kill -0 "$2" 2>/dev/null || return 1
    if is_listening "$1"; then return 0; fi
    sleep 0.05
  done
  return 1
}

# Starts `start_it PORT FOLDER` in the background on a free port, which is left in $port.
start() {
  local start_it=$1
  for try in $(seq 20); do
    port=$((20000 + RANDOM % 10000))
    if is_listening "$port"; then continue; fi
    local place="$folder/$start_it.${#pids[@]}.$try"
    mkdir -p "$place"
    "$start_it" "$port" "$place" >"$place/log" 2>&1 &
    pids+=($!)
    if wait_for "$port" $!; then return 0; fi
  done
  echo "differential: $start_it does not start; its last words:" >&2
  tail -n 5 "$place/log" >&2
  return 1
}

influxd_with() {
  cat >"$2/influxdb.conf" <<CONF
reporting-disabled = true
bind-address = "127.0.0.1:0"
[meta]
dir = "$2/meta"
[data]
dir = "$2/data"
wal-dir = "$2/wal"
index-version = "$3"
query-log-enabled = false
[monitor]
store-enabled = false
[http]
bind-address = "127.0.0.1:$1"
log-enabled = false
CONF
  exec influxd run -config "$2/influxdb.conf"
}

influxd_inmem() { influxd_with "$1" "$2" inmem; }
influxd_tsi1() { GOMAXPROCS=1 influxd_with "$1" "$2" tsi1; }

hissrv_server() {
  printf 'server: {listen: "127.0.0.1:%s"}\ndata_dir: %s/data\nredis: {enabled: false}\n' "$1" "$2" >"$2/hissrv.yaml"
  exec "$hissrv" run --config "$2/hissrv.yaml"
}

under_test=hissrv_server
case ${1:-} in
  --hissrv) hissrv=$2; shift 2 ;;
  --influxd) under_test=influxd_tsi1; shift ;;
esac
scripts/install-deps.sh influxdb python3
if [ "$under_test" = hissrv_server ] && [ -z "$hissrv" ]; then
  cargo build --quiet --locked --package hissrv
  hissrv=${CARGO_TARGET_DIR:-target}/debug/hissrv
fi

trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
start influxd_inmem
left=$port
start "$under_test"
right=$port
# In the background, because a signal is noticed only in `wait`.
python3 conformance/differential.py --left "http://127.0.0.1:$left" --right "http://127.0.0.1:$right" "$@" &
pids+=($!)
wait $!
