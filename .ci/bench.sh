#!/usr/bin/env bash
# Starts a bridge on a ledger of its own, asks it as Asterisk would, and stops it.
# Arguments go to the load generator; without any: 2,000 questions a second for ten seconds.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$(mktemp -d)
port=$(.venv/bin/python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
bridge=
stop() {
    [[ -z $bridge ]] || { kill "$bridge" && wait "$bridge"; } 2>/dev/null || true
    rm -rf "$folder"
}
trap stop EXIT

cat >"$folder/dialwarden.toml" <<CONFIG
[store]
path = "bench.db"

[agi]
listen = "127.0.0.1:$port"

[log]
level = "warning"

# No law here: the hour of the day must not decide what is measured. The caps make it count.
[campaigns.bench]
professional = "bench"
policy = "none"
region = "FR"

[campaigns.bench.tighten]
caps = [{ max = 4, period = "30 days" }]
CONFIG

echo "== dialwarden on 127.0.0.1:$port, ledger in $folder"
.venv/bin/dialwarden serve --config "$folder/dialwarden.toml" 2>"$folder/log" &
bridge=$!
for _ in {1..200}; do
    (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
    kill -0 "$bridge" 2>/dev/null || { cat "$folder/log" >&2; exit 1; }
    sleep 0.1
done

[[ $# -gt 0 ]] || set -- --rate 2000 --seconds 10
echo "== python -m tests.bench.load --campaign bench $*"
.venv/bin/python -m tests.bench.load --port "$port" --campaign bench "$@"
