# Starts a demonstration server for an external test and stops it, whatever happens. Sourced, never run.
# Sets: base, live_key, test_key, operator_key, account, account_sid, test_token, work.
: "${TANDEM_TEST_BIN:?the path of the tandem binary}"
work=$(mktemp -d)
server=
finish() {
    if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi
    rm -rf "$work"
}
trap finish EXIT

start_server() { # ARGUMENTS of tandem serve
    rm -f "$work/ready.json"
    "$TANDEM_TEST_BIN" serve --demo --listen 127.0.0.1:0 --data-dir "$work/data" --ready-file "$work/ready.json" "$@" \
        >"$work/server.log" 2>&1 &
    server=$!
    local waited=0
    until [ -s "$work/ready.json" ]; do
        kill -0 "$server" 2>/dev/null || { cat "$work/server.log" >&2; return 1; }
        waited=$((waited + 1)); [ "$waited" -lt 600 ] || { echo "the server did not get ready" >&2; return 1; }
        sleep 0.1
    done
    read -r base operator_key account live_key test_key account_sid test_token <<<"$(python3 -c '
import json, sys
ready = json.load(open(sys.argv[1])); account = ready["accounts"][0]
print(ready["base_url"], ready["operator_key"], account["id"], account["live_key"], account["test_key"],
      account["account_sid"], account["test_token"])' "$work/ready.json")"
    export base operator_key account live_key test_key account_sid test_token
}
