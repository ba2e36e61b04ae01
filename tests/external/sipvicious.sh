#!/usr/bin/env bash
# A scanner that is not ours (sipvicious) looks for extensions: it finds none, not even one that is there, and is not listened to any more.
set -euo pipefail
cd "$(dirname "$0")"
. ./lib.sh
start_server
sip=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["sip"])' "$work/ready.json")
device=$(curl -sf -H "Authorization: Bearer $test_key" -H 'Content-Type: application/json' -d '{"label":"Desk"}' "$base/v1/devices" \
    | python3 -c 'import json, sys; print(json.load(sys.stdin)["user_name"])')
printf '%s\n' 100 admin "$device" $(seq 1000 1060) >"$work/names"
for method in REGISTER INVITE OPTIONS; do
    timeout 60 "${TOOLS:?the folder of the tools}/bin/sipvicious_svwar" -m "$method" -d "$work/names" "udp://$sip" >"$work/$method" 2>&1 || true
    grep -q 'found nothing' "$work/$method" || { echo "$method: the scanner found something:" >&2; cat "$work/$method" >&2; exit 1; }
done
grep -q 'not listened to for a while.*fault=Scanner' <(sed 's/\x1b\[[0-9;]*m//g' "$work/server.log") \
    || { echo "the scanner was not banned" >&2; tail -40 "$work/server.log" >&2; exit 1; }
kill -0 "$server"
