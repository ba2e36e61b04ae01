#!/usr/bin/env bash
# Telephones (baresip) call through the server of the demonstration: with sound both ways that is measured where it is heard, busy,
# given up, on hold, from and to devices that register, over UDP, TCP and TLS.
set -euo pipefail
cd "$(dirname "$0")"
. ./lib.sh
command -v baresip >/dev/null || { echo "baresip is not installed" >&2; exit 1; }
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=authority -addext subjectAltName=IP:127.0.0.1 \
    -keyout "$work/sip.key" -out "$work/sip.pem" 2>/dev/null
port=$(cd ../clients/phones && python3 -B -c 'import phone; print(phone.free_port(2))')
export sip=127.0.0.1:$port sips=127.0.0.1:$((port + 1)) authority=$work/sip.pem
export TANDEM_VOICE__LISTEN="[\"udp:$sip\", \"tcp:$sip\", \"tls:$sips\"]"
export TANDEM_TLS__CERTIFICATE=$work/sip.pem TANDEM_TLS__KEY=$work/sip.key
start_server
python3 -B ../clients/phones "$@" || { tail -40 "$work/server.log" >&2; exit 1; }
