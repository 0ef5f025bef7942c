#!/usr/bin/env bash
# Makes what the scripts of conformance/clients need, once: a Python environment in target/tools/python-clients and the npm
# package in target/tools/node-clients, in the versions that are pinned there. pip and npm are used as this machine sets them up.
# A copy of the list of versions is the mark that an installation is complete.
set -euo pipefail
cd "$(dirname "$0")/.."

python=target/tools/python-clients
node=target/tools/node-clients
requirements=conformance/clients/python/requirements.txt
lock=conformance/clients/node/package-lock.json

if ! cmp -s "$requirements" "$python/requirements.txt"; then
  echo "install-clients: the Python client"
  rm -rf "$python"
  mkdir -p target/tools
  python3 -m venv "$python"
  "$python/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$requirements"
  cp "$requirements" "$python/requirements.txt"
fi

if ! cmp -s "$lock" "$node/complete.json"; then
  echo "install-clients: the Node.js client"
  rm -rf "$node"
  mkdir -p "$node"
  cp conformance/clients/node/package.json "$lock" "$node/"
  npm ci --prefix "$node" --no-audit --no-fund --ignore-scripts --loglevel=error
  cp "$lock" "$node/complete.json"
fi
