# What versions and assertions share: the extension in a server of build/peers,
# and a count of what passed there.  Sourced in the source tree's root.

# Builds for the server of pg_config $2 in a copy, $1: objects of two releases
# must not mix.
build() {
	local src=$1 config=$2
	mkdir -p "$src" && tar c --exclude='*.[od]' Makefile bigbrotr.control src bgworkers | tar x -C "$src" || return 1
	cp bigbrotr-net "$src/" &&
		make -s -k -j2 -C "$src" WERROR=-Werror NETSRC= PG_CONFIG="$config" all &&
		make -s -C "$src" NETSRC= PG_CONFIG="$config" install >/dev/null
}

passed=0 failed=0
check() {
	local what=$1
	shift
	echo "== $what"
	if "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "== $what: FAILED"; fi
}

# The last line of such a script.
summary() {
	echo "$passed passed, $failed failed"
	[ $failed -eq 0 ] && [ $passed -gt 0 ]
}
