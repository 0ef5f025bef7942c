#!/usr/bin/env bash
# Makes what the tests of the archive need, once: a Python environment in target/tools/archive with DuckDB and moto (an S3 server), in
# the versions pinned in conformance/archive/requirements.txt. pip is used as this machine sets it up. Without a package index the
# tests that need it are skipped, which they say.
set -euo pipefail
cd "$(dirname "$0")/.."

python=target/tools/archive
requirements=conformance/archive/requirements.txt

cmp -s "$requirements" "$python/requirements.txt" && exit 0
echo "install-archive-tools: DuckDB and moto"
rm -rf "$python"
mkdir -p target/tools
if python3 -m venv "$python" && "$python/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$requirements"; then
  cp "$requirements" "$python/requirements.txt"
else
  rm -rf "$python"
  echo "install-archive-tools: pip failed; tests with DuckDB and with an S3 server are skipped" >&2
fi
