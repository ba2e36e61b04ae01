#!/usr/bin/env bash
# Telephones (baresip) call through the server of the demonstration: with sound both ways that is measured where it is heard, busy,
# given up, on hold, from and to devices that register.
set -euo pipefail
cd "$(dirname "$0")"
. ./lib.sh
command -v baresip >/dev/null || { echo "baresip is not installed" >&2; exit 1; }
start_server
sip=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["sip"])' "$work/ready.json")
export sip
python3 -B ../clients/phones "$@" || { tail -40 "$work/server.log" >&2; exit 1; }
