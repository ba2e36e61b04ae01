#!/usr/bin/env bash
# Our binds over TLS (OpenSSL, by socat) on an SMPP server that is not ours; certificates of a wrong name or authority are refused.
set -euo pipefail
cd "$(dirname "$0")"
. ./lib.sh
start_server

tls=$work/tls
mkdir "$tls"
authority() { # NAME
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$1" -addext basicConstraints=critical,CA:TRUE \
        -keyout "$tls/$1.key" -out "$tls/$1.crt" 2>/dev/null
}
certificate() { # FILE AUTHORITY HOST
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$3" -keyout "$tls/$1.key" -out "$tls/$1.csr" 2>/dev/null
    openssl x509 -req -in "$tls/$1.csr" -CA "$tls/$2.crt" -CAkey "$tls/$2.key" -CAcreateserial -days 1 \
        -extfile <(echo "subjectAltName=DNS:$3") -out "$tls/$1.crt" 2>/dev/null
    cat "$tls/$1.key" "$tls/$1.crt" >"$tls/$1.pem"
}
authority ours
authority another
certificate right ours localhost
certificate misnamed ours smsc.example.com
certificate foreign another localhost
tls="$tls" NODE_PATH="${TOOLS:?the folder of the tools}/node_modules" node ../clients/smpp-server.cjs
