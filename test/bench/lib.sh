# What the benchmarks share: a private cluster, relays on loopback, figures.
# Sourced; expects the folder of the project as working directory.

root=$PWD
bin=$(pg_config --bindir)
up=$root/tools/unprivileged
dir=$(mktemp -d)
data=${BENCH_KEEP:-$dir/data}	# a folder of yours is kept, and used again
pids=()

bench_cleanup() {
	[ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null || true
	$up "$bin/pg_ctl" -D "$data" -m "$([ -z "${BENCH_KEEP:-}" ] && echo immediate || echo fast)" stop >/dev/null 2>&1 || true
	rm -rf "$dir"
}
trap bench_cleanup EXIT

bench_build() { # programs that are needed beside the product
	make -s -j2 all test-programs "$@" >/dev/null
	tools/install
}

# A server with the extension in database postgres; arguments are more settings.
bench_server() {
	[ "$(id -u)" -ne 0 ] || chown postgres "$dir"
	local made=
	[ -e "$data/PG_VERSION" ] || made=yes
	[ -z "$made" ] || $up "$bin/initdb" -D "$data" -U bigbrotr -A trust -E UTF8 --locale=C >/dev/null
	$up tee -a "$data/postgresql.conf" >/dev/null <<CONF
listen_addresses = ''
unix_socket_directories = '$dir'
shared_preload_libraries = 'bigbrotr'
max_worker_processes = 16
shared_buffers = 2GB
max_wal_size = 8GB
default_toast_compression = lz4
bigbrotr.databases = 'postgres'
bigbrotr.finder_interval = 0
bigbrotr.allow_networks = '127.0.0.0/8'
bigbrotr.synchronizer_overlap = 0
CONF
	printf '%s\n' "$@" | $up tee -a "$data/postgresql.conf" >/dev/null
	$up "$bin/pg_ctl" -D "$data" -w -l "$dir/log" start >/dev/null
	[ -n "$made" ] || return 0
	q 'CREATE EXTENSION bigbrotr'
	q 'SELECT bigbrotr.partition_ensure()' >/dev/null
}

q() { "$bin/psql" -XqAt -v ON_ERROR_STOP=1 -h "$dir" -U bigbrotr postgres "${@:2}" -c "$1"; }

calc() { awk "BEGIN { printf \"%.6f\n\", $1 }"; }

# Seconds that a statement takes, its commit included.
seconds() {
	local a b
	a=$(date +%s%N); q "$1" >/dev/null; b=$(date +%s%N)
	calc "($b - $a) / 1e9"
}

# One JSON line: name, value, unit, baseline, what the baseline is.
figure() {
	awk -v n="$1" -v v="$2" -v u="$3" -v b="$4" -v i="$5" 'BEGIN {
		printf "{\"figure\":\"%s\",\"value\":%.1f,\"unit\":\"%s\",\"baseline\":%.1f,\"baseline_is\":\"%s\",\"ratio\":%.3f}\n",
			n, v, u, b, i, v / b }'
}

# Starts a test relay; $url is its address.
start_relay() {
	local log=$dir/relay.${#pids[@]}
	: >"$log"
	build/test/relay --port 0 "$@" >"$log" &
	pids+=($!)
	until grep -q listening "$log"; do sleep 0.05; done
	url=ws://127.0.0.1:$(awk '/listening/ { print $2 }' "$log")
}

seed() { # addresses
	local u
	for u in "$@"; do q "INSERT INTO bigbrotr.seed (url) VALUES ('$u')"; done
	q "SELECT bigbrotr.run('seeder')" >/dev/null
}

counter() { q "SELECT coalesce(sum(value), 0) FROM bigbrotr.counter WHERE name = '$1'"; }

# Rows per second of a counter from its first sign above $2 until $3, commits
# included; the validation before it and the start of the workers are not
# what is measured.  One session looks, each time in a transaction of its own:
# a psql for each look takes a fifth of the machine.
rate_of() { # counter from to
	local first= first_rows rows t
	while IFS='|' read -r rows t; do
		[[ $t =~ ^[0-9.]+$ ]] || continue
		if [ -z "$first" ] && [ "$rows" -gt "$2" ]; then first=$t first_rows=$rows; fi
		[ "$rows" -lt "$3" ] || break
	done < <("$bin/psql" -XqAt -v ON_ERROR_STOP=1 -h "$dir" -U bigbrotr postgres 2>/dev/null <<<"
		SELECT coalesce(sum(value), 0)::bigint, extract(epoch FROM clock_timestamp())
		FROM bigbrotr.counter WHERE name = '$1' \\watch 0.05")
	[ -n "$first" ] && [ "$rows" -gt "$first_rows" ] || { echo "bench: too few events to measure $1" >&2; return 1; }
	calc "($rows - $first_rows) / ($t - $first)"
}

# Bytes of all partitions that hold something, with indexes and TOAST; with
# events goes what they say about others.
size_of() {
	q "SELECT sum(pg_total_relation_size(inhrelid)) + CASE '$1' WHEN 'event' THEN pg_total_relation_size('bigbrotr.ruling') ELSE 0 END
	   FROM pg_inherits WHERE inhparent = 'bigbrotr.$1'::regclass AND pg_relation_size(inhrelid) > 0"
}
