#!/usr/bin/env bash
# Deliveries to receivers that are not ours: those that the dialects' documentation describes (node 18 or later), and the published
# library of Standard Webhooks (PYTHON names an interpreter that has it).
set -euo pipefail
cd "$(dirname "$0")"
. ./lib.sh
python=${PYTHON:-python3}
"$python" -c 'import standardwebhooks' || { echo "the Python package standardwebhooks is not installed (PYTHON names the interpreter)" >&2; exit 1; }
export TANDEM_WEBHOOKS__ALLOW_PRIVATE=true
start_server
node ../clients/webhook-receivers.mjs
"$python" ../clients/webhook_receiver.py
