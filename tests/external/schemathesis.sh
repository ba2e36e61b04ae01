#!/usr/bin/env bash
# schemathesis, all checks, against the OpenAPI document of each dialect that is served.
# SCHEMATHESIS names the program; EXAMPLES how many cases each operation gets; SEED which cases: the same ones each time unless it is
# set, so that a change is tried with what the last one passed. Try others by hand: SEED=$RANDOM.
set -euo pipefail
cd "$(dirname "$0")"
here=$PWD
. ./lib.sh
schemathesis=${SCHEMATHESIS:-schemathesis}
command -v "$schemathesis" >/dev/null || { echo "schemathesis is not installed (SCHEMATHESIS names it)" >&2; exit 1; }
start_server
for environment in live test; do
    curl -fsS -X PATCH "$base/v1/accounts/$account/environments/$environment/limits" -H "Authorization: Bearer $operator_key" \
        -H 'Content-Type: application/json' -d '{"rate_limit":4000000,"period_seconds":1,"burst":4000000}' >/dev/null
done
run() { # DIALECT PREFIX HEADER [OPTIONS]
    local dialect=$1 prefix=$2 header=$3; shift 3
    curl -fsS "$base/openapi/$dialect.json" >"$work/$dialect.json"
    # It keeps notes where it runs: they go with the rest.
    (cd "$work" && "$schemathesis" --config-file "$here/schemathesis.toml" run "$dialect.json" --url "$base$prefix" -H "$header" \
        --checks all --max-examples "${EXAMPLES:-30}" --seed "${SEED:-20241210}" --generation-database none --no-color "$@")
}
run audian /audian/v2 "X-Auth-Token: $test_key"
run fonedynamics /fonedynamics/v2 "Authorization: Basic $(printf '%s' "$account_sid:$test_token" | base64 -w0)"
run telephony_io /telephony/api "Authorization: Bearer $test_key"
# What an account's key may do there, then what an operator's may; the wrong kind of key is refused with 401 or 403.
run native /v1 "Authorization: Bearer $test_key"
run native /v1 "Authorization: Bearer $operator_key"
