#!/usr/bin/env bash
# Runs every test of the workspace and of the benchmark tools; the last line sums up. Arguments go to the test runner.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install-deps.sh redis-server openssl influxdb influxdb-client victoria-metrics postgresql python3 python3-venv nodejs npm
scripts/install-clients.sh
scripts/install-archive-tools.sh
scripts/install-datasets.sh
cargo test --quiet --locked --manifest-path bench/Cargo.toml

if cargo nextest --version >/dev/null 2>&1; then
  exec cargo nextest run --locked --workspace "$@"
fi

results=$(mktemp)
trap 'rm -f "$results"' EXIT
status=0
cargo test --locked --no-fail-fast --workspace "$@" 2>&1 | tee "$results" || status=$?
awk '/^test result:/ { passed += $4; failed += $6 } END { printf "%d passed, %d failed\n", passed, failed }' "$results"
exit "$status"
