#!/usr/bin/env bash
# sipp calls through the server of the demonstration, over UDP and TCP, and is called by it: both hang up, give up, are busy, answer not,
# hold, hand on, choose from a menu, register, lose messages, and offer another session at the same moment.
set -euo pipefail
cd "$(dirname "$0")"
. ./lib.sh
command -v sipp >/dev/null || { echo "sipp is not installed" >&2; exit 1; }
# One port for both transports, which nobody has now.
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
TANDEM_VOICE__LISTEN="[\"udp:127.0.0.1:$port\",\"tcp:127.0.0.1:$port\"]" start_server
sip=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["sip"])' "$work/ready.json")
export sip
python3 -B ../clients/sipp "$@" || { tail -40 "$work/server.log" >&2; exit 1; }
