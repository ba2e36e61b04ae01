#!/usr/bin/env bash
# A reply is forwarded as an e-mail through a relay that is not ours: aiosmtpd, over STARTTLS and after a login (PYTHON names an
# interpreter that has it).
set -euo pipefail
cd "$(dirname "$0")"
. ./lib.sh
python=${PYTHON:-python3}
"$python" -c 'import aiosmtpd' || { echo "the Python package aiosmtpd is not installed (PYTHON names the interpreter)" >&2; exit 1; }
openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
    -addext basicConstraints=critical,CA:FALSE -keyout "$work/relay.key" -out "$work/relay.pem" 2>/dev/null
"$python" -B ../clients/mail/relay.py "$work" & relay=$!
trap 'kill "$relay" 2>/dev/null || true; finish' EXIT
for _ in $(seq 100); do [ ! -s "$work/relay.port" ] || break; sleep 0.1; done
export SSL_CERT_FILE="$work/relay.pem" TANDEM_MAIL__FROM=no-reply@tandem.example
TANDEM_MAIL__SMTP="smtp://tandem:secret@localhost:$(cat "$work/relay.port")?tls=required"
export TANDEM_MAIL__SMTP
start_server
python3 -B ../clients/mail/forward.py "$work" "$base" "$account_sid" "$test_token"
