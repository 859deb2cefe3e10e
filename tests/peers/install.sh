#!/usr/bin/env bash
# Installs the gRPC clients that the interoperability tests talk to: Python's grpcio (Debian), Node's grpc-js and
# proto-loader, and the `buf` command line (npm); and promtool, which checks the metrics page (Debian). Quick when everything is there already. A peer that cannot be
# installed is reported and left out; the tests that need it are skipped and say so.
set -uo pipefail
cd "$(dirname "$0")"
target="$(cd ../.. && pwd)/artifacts/peers"
mkdir -p "$target"

as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi; }

if /usr/bin/python3 -c 'import grpc, google.protobuf' 2>/dev/null; then
  echo "python3-grpcio: present"
elif command -v apt-get >/dev/null \
  && { as_root apt-get update -qq && as_root apt-get install -y -qq python3-grpcio python3-protobuf; } >"$target/apt.log" 2>&1; then
  echo "python3-grpcio: installed"
else
  echo "python3-grpcio: not installed (see artifacts/peers/apt.log)"
fi

if [ -x /usr/bin/promtool ]; then
  echo "promtool: present"
elif command -v apt-get >/dev/null \
  && { as_root apt-get update -qq && as_root apt-get install -y -qq --no-install-recommends prometheus; } >"$target/apt-promtool.log" 2>&1; then
  echo "promtool: installed"
else
  echo "promtool: not installed (see artifacts/peers/apt-promtool.log)"
fi

if [ -f "$target/node/node_modules/.installed" ] && cmp -s node/package.json "$target/node/package.json"; then
  echo "grpc-js: present"
elif command -v npm >/dev/null && mkdir -p "$target/node" && cp node/package.json "$target/node/" \
  && npm install --prefix "$target/node" --no-audit --no-fund --loglevel=error >"$target/npm.log" 2>&1; then
  touch "$target/node/node_modules/.installed"
  echo "grpc-js: installed"
else
  echo "grpc-js: not installed (see artifacts/peers/npm.log)"
fi
