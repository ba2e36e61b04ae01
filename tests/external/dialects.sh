#!/usr/bin/env bash
# A client that knows the documentation of the three dialects and nothing of this program calls every operation of each.
set -euo pipefail
cd "$(dirname "$0")"
. ./lib.sh
start_server
python3 -B ../clients/dialects/a_call.py "$work/data/tandem.sqlite"
python3 -B ../clients/dialects
