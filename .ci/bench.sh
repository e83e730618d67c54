#!/usr/bin/env bash
# Runs the benchmark, with PostgreSQL for the peer that asks it: an installed one, or Debian's,
# which is installed when we may. Arguments go to tests/bench/__main__.py.
set -euo pipefail
cd "$(dirname "$0")/.."

have_postgres() {
    compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || command -v postgres >/dev/null
}

wants_postgres() {
    [[ " $* " != *" --quick "* && " $* " != *" --no-sql "* ]] || return 1
    [[ " $* " != *" --only "* || " $* " == *decisions* ]]
}

if wants_postgres "$@" && ! have_postgres; then
    if [[ $EUID -eq 0 ]] && command -v apt-get >/dev/null; then
        echo "== installing postgresql with apt-get" >&2
        export DEBIAN_FRONTEND=noninteractive
        # Without a cluster of its own that would run from then on.
        mkdir -p /etc/postgresql-common
        [[ -e /etc/postgresql-common/createcluster.conf ]] ||
            echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
        { apt-get -q update && apt-get -q install -y --no-install-recommends postgresql; } >&2 ||
            echo "== no PostgreSQL: its rows are left out" >&2
    else
        echo "== no PostgreSQL is installed: its rows are left out" >&2
    fi
fi

echo "== python -m tests.bench $*" >&2
exec .venv/bin/python -m tests.bench "$@"
