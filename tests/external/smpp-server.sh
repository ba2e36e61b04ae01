#!/usr/bin/env bash
# Our binds on an SMPP server that is not ours (the npm package smpp).
set -euo pipefail
cd "$(dirname "$0")"
. ./lib.sh
start_server
NODE_PATH="${TOOLS:?the folder of the tools}/node_modules" node ../clients/smpp-server.cjs
