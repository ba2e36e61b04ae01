#!/usr/bin/env bash
# The documentation's JavaScript samples against a running server. Needs node 18 or later.
set -euo pipefail
cd "$(dirname "$0")"
. ./lib.sh
start_server
node ../clients/seed-snippets.mjs
