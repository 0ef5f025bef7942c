#!/usr/bin/env bash
# Installs a cargo subcommand (cargo-deny, cargo-fuzz) into target/tools, once, unless it is on the PATH.
set -euo pipefail
cd "$(dirname "$0")/.."

tool=$1
export PATH="$PWD/target/tools/bin:$PATH"
command -v "$tool" >/dev/null 2>&1 || cargo install --quiet --locked --root target/tools "$tool"
