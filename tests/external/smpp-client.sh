#!/usr/bin/env bash
# An SMPP client that is not ours (smpplib) on the SMSC of the pocket network.
set -euo pipefail
cd "$(dirname "$0")"
. ./lib.sh
export TANDEM_POCKET__APPLICATIONS='[{system_id="shop",password="secret08",numbers=["+1628555"]}]'
start_server
smpp=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["smpp"])' "$work/ready.json")
export smpp
"${TOOLS:?the folder of the tools}/bin/python" ../clients/smpp-client.py
