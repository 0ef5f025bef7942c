#!/usr/bin/env bash
# Runs each fuzz target for SECONDS_EACH seconds (default 60). A finding ends it and stays below fuzz/artifacts.
set -euo pipefail
cd "$(dirname "$0")/.."

[ -d fuzz/fuzz_targets ] || { echo "fuzz: there are no fuzz targets below fuzz/fuzz_targets" >&2; exit 1; }
scripts/install-tool.sh cargo-fuzz
export PATH="$PWD/target/tools/bin:$PATH"
# The sanitizers are behind unstable flags; this lets the stable compiler accept them.
export RUSTC_BOOTSTRAP=1

for target in $(cargo fuzz list); do
  echo "fuzz: $target"
  cargo fuzz run "$target" -- -max_total_time="${SECONDS_EACH:-60}" -rss_limit_mb=2048
done
