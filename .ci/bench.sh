#!/usr/bin/env bash
# Runs the benchmark, with what it measures beside: PostgreSQL for the peer that asks it, and the
# sqlite3 shell for imports. Installed ones, or Debian's, which are installed when we may. Arguments
# go to tests/bench/__main__.py.
set -euo pipefail
cd "$(dirname "$0")/.."

have_postgres() {
    compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || command -v postgres >/dev/null
}

wants_postgres() {
    [[ " $* " != *" --quick "* && " $* " != *" --no-sql "* ]] || return 1
    [[ " $* " != *" --only "* || " $* " == *decisions* ]]
}

wants_sqlite() {
    [[ " $* " != *" --only "* || " $* " == *imports* ]]
}

# A package of Debian's, where we may; without it the rows that take it say so.
install() {
    if [[ $EUID -ne 0 ]] || ! command -v apt-get >/dev/null; then
        echo "== no $1 is installed: its rows are left out" >&2
        return
    fi
    echo "== installing $1 with apt-get" >&2
    export DEBIAN_FRONTEND=noninteractive
    { apt-get -q update && apt-get -q install -y --no-install-recommends "$1"; } >&2 ||
        echo "== no $1: its rows are left out" >&2
}

if wants_postgres "$@" && ! have_postgres; then
    if [[ $EUID -eq 0 ]]; then
        # Without a cluster of its own that would run from then on.
        mkdir -p /etc/postgresql-common
        [[ -e /etc/postgresql-common/createcluster.conf ]] ||
            echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
    fi
    install postgresql
fi
if wants_sqlite "$@" && ! command -v sqlite3 >/dev/null; then
    install sqlite3
fi

echo "== python -m tests.bench $*" >&2
exec .venv/bin/python -m tests.bench "$@"
