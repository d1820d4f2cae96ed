# bigbrotr: one shared library (the extension), one program (bigbrotr-net),
# one install script.
#
#   make            build
#   make install    install into the PostgreSQL of PG_CONFIG
#   make run        a private server in ./run that crawls (SEEDS=FILE)
#   make test       every test
#   make lint       rules of style and layering
#   make fuzz       fuzzers, FUZZ_SECONDS each
#   make bench      measurements, each with its baseline
#   make interop, interop-negentropy, pgspot, versions
#                   against programs of others (test/peers)
#   make assertions every SQL and TAP test in a PostgreSQL with assertions

EXTENSION    = bigbrotr
EXTVERSION   = 0.1
MODULE_big   = bigbrotr

SCHEMA  := $(sort $(wildcard src/schema/*.sql))
NOSTR   := $(sort $(wildcard src/nostr/*.c))
WIRE    := $(sort $(wildcard src/wire/*.c))
PGSRC   := $(sort $(wildcard src/pg/*.c) $(wildcard bgworkers/*.c))
NETSRC  := $(NOSTR) $(WIRE) $(sort $(wildcard src/net/*.c src/crawl/*.c src/netd/*.c))

OBJS         = $(PGSRC:.c=.o) $(NOSTR:.c=.o) $(WIRE:.c=.o)
DATA         = $(sort $(wildcard src/schema/upgrade/*.sql))
DATA_built   = $(EXTENSION)--$(EXTVERSION).sql
EXTRA_CLEAN  = build bigbrotr-net
REGRESS      = $(sort $(patsubst sql/%.sql,%,$(wildcard sql/*.sql)))

WARN         = -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare $(WERROR)
PG_CPPFLAGS  = -Isrc -DBB_VERSION=\"$(EXTVERSION)\"
PG_CFLAGS    = -std=gnu11 $(WARN) -Wno-declaration-after-statement -MMD -MP
SHLIB_LINK   = -Wl,--version-script=src/pg/bigbrotr.map -lsecp256k1 -lcrypto -lidn2 -lpsl -lm

PG_CONFIG   ?= pg_config
PGXS        := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)

all: bigbrotr-net

ifneq ($(PGXS),)
# no bitcode: it would need a second compiler for nothing we measured
override with_llvm = no
include $(PGXS)
endif

-include $(OBJS:.o=.d)

$(DATA_built): $(SCHEMA) Makefile
	cat $(SCHEMA) > $@

# --- bigbrotr-net: no PostgreSQL header, hardened --------------------------
NET_CFLAGS = -std=gnu11 -O2 -g $(WARN) -MMD -MP -D_GNU_SOURCE -DBB_VERSION=\"$(EXTVERSION)\" \
	-Isrc -fPIE -fstack-protector-strong -D_FORTIFY_SOURCE=2
NET_LIBS   = -lwebsockets -lcurl -ljansson -lmaxminddb -luv -lcares -lresolv -lssl -lcrypto -lsecp256k1 -lidn2 -lpsl -lm -lpthread
NETOBJS    = $(NETSRC:%.c=build/net/%.o)

build/net/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(NET_CFLAGS) -c $< -o $@

bigbrotr-net: $(NETOBJS)
	$(CC) -pie -Wl,-z,relro,-z,now -o $@ $(NETOBJS) $(NET_LIBS)

-include $(NETOBJS:.o=.d)

install: install-net
uninstall: uninstall-net
.PHONY: install-net uninstall-net
install-net: bigbrotr-net
	$(MKDIR_P) '$(DESTDIR)$(pkglibdir)'
	$(INSTALL_PROGRAM) bigbrotr-net '$(DESTDIR)$(pkglibdir)/bigbrotr-net'
uninstall-net:
	rm -f '$(DESTDIR)$(pkglibdir)/bigbrotr-net'

# --- the PG-free library under sanitizers: unit tests ----------------------
ASAN_CFLAGS = -std=gnu11 -O1 -g $(WARN) -MMD -MP -D_GNU_SOURCE -DBB_VERSION=\"$(EXTVERSION)\" -Isrc -Isrc/nostr -Itest/unit \
	-fsanitize=address,undefined -fno-sanitize-recover=undefined
UNITLIB    = $(filter-out src/netd/main.c,$(NETSRC))
UNITOBJS   = $(UNITLIB:%.c=build/asan/%.o)
UNITTESTS  = $(patsubst test/unit/%.c,build/unit/%,$(sort $(wildcard test/unit/test_*.c)))

RELAYSRC     = $(filter-out test/relay/main.c test/relay/many.c test/relay/gen%.c,$(sort $(wildcard test/relay/*.c)))
RELAYOBJS    = $(RELAYSRC:%.c=build/asan/%.o)

build/asan/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ASAN_CFLAGS) -c $< -o $@

build/unit/%: test/unit/%.c $(UNITOBJS)
	@mkdir -p $(@D)
	$(CC) $(ASAN_CFLAGS) $< $(UNITOBJS) -o $@ $(NET_LIBS)

# these talk to scripted relays
build/unit/test_hostile build/unit/test_check build/unit/test_dense build/unit/test_neg_sync build/unit/test_publish build/unit/test_relay build/unit/test_rtt build/unit/test_silent: build/unit/%: test/unit/%.c $(RELAYOBJS) $(UNITOBJS)
	@mkdir -p $(@D)
	$(CC) $(ASAN_CFLAGS) $< $(RELAYOBJS) $(UNITOBJS) -o $@ $(NET_LIBS) -ljansson

# --- the central property: delivered + reported gaps = ground truth ---------
# --- and what it costs in requests, events and bytes: one at a time, since a
# --- line that is busy looks like one that is far away -----------------------
PROPERTIES   = property efficiency
PROPERTYOBJS = $(patsubst %.c,build/asan/%.o,$(sort $(wildcard test/property/*.c)))
PROPERTYLIB  = $(filter-out $(PROPERTIES:%=build/asan/test/property/%.o),$(PROPERTYOBJS))

$(PROPERTIES:%=build/unit/%): build/unit/%: build/asan/test/property/%.o $(PROPERTYLIB) $(RELAYOBJS) $(UNITOBJS)
	@mkdir -p $(@D)
	$(CC) $(ASAN_CFLAGS) $^ -o $@ $(NET_LIBS) -ljansson

.PHONY: property-run
property-run: $(PROPERTIES:%=build/unit/%)
	@UNIT_JOBS=1 test/run-unit $^

-include $(UNITTESTS:=.d) $(UNITOBJS:.o=.d) $(RELAYOBJS:.o=.d) $(PROPERTYOBJS:.o=.d)

# --- fuzzing ---------------------------------------------------------------
FUZZ_SECONDS ?= 600
FUZZERS      = $(patsubst test/fuzz/%.c,build/fuzz/%,$(sort $(wildcard test/fuzz/fuzz_*.c)))

build/fuzz/%: test/fuzz/%.c $(NOSTR) $(WIRE)
	@mkdir -p $(@D)
	clang-14 -std=gnu11 -O1 -g -D_GNU_SOURCE -Isrc -Isrc/nostr -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=undefined $< $(NOSTR) $(WIRE) -o $@ -lsecp256k1 -lcrypto -lidn2 -lpsl -lm

.PHONY: fuzz unit-run lint test run
fuzz:
	tools/setup test
	$(MAKE) fuzz-run
.PHONY: fuzz-run
fuzz-run: $(FUZZERS) build/test/genevents
	@for f in $(FUZZERS); do \
		mkdir -p build/corpus/$$(basename $$f); \
		test/fuzz/seeds $$(basename $$f) build/corpus/$$(basename $$f) || exit 1; \
		echo "== $$f for $(FUZZ_SECONDS) s"; \
		$$f -max_total_time=$(FUZZ_SECONDS) -print_final_stats=1 -max_len=65536 \
			build/corpus/$$(basename $$f) 2>build/$$(basename $$f).log \
			&& tail -n 8 build/$$(basename $$f).log \
			|| { tail -n 40 build/$$(basename $$f).log; exit 1; }; \
	done

unit-run: $(UNITTESTS)
	@test/run-unit $(UNITTESTS)

lint:
	tools/setup test
	tools/lint

test:
	tools/setup test
	test/run

run:
	tools/setup run
	tools/run $(SEEDS)

# --- programs that the tests and benchmarks need ---------------------------
.PHONY: test-programs
test-programs: build/test/relay build/test/many build/test/genevents build/test/genmentions build/test/genmix

build/test/many: test/relay/many.c $(RELAYSRC) $(wildcard test/relay/*.h) $(NOSTR)
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -O2 -g $(WARN) -D_GNU_SOURCE -Isrc $< $(RELAYSRC) $(NOSTR) -o $@ \
		-luv -lssl -lcrypto -lsecp256k1 -lidn2 -lpsl -lm -ljansson

build/test/relay: test/relay/main.c $(RELAYSRC) $(wildcard test/relay/*.h) $(NOSTR)
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -O2 -g $(WARN) -D_GNU_SOURCE -Isrc $< $(RELAYSRC) $(NOSTR) -o $@ \
		-luv -lssl -lcrypto -lsecp256k1 -lidn2 -lpsl -lm -ljansson

build/test/gen%: test/relay/gen%.c test/relay/gen.h test/relay/random.h $(NOSTR)
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -O2 -g $(WARN) -D_GNU_SOURCE -Isrc $< $(NOSTR) -o $@ -lcrypto -lsecp256k1 -lidn2 -lpsl -lm

build/test/negentropy_drive: test/peers/negentropy/drive.c test/unit/negsets.h $(NOSTR)
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -O2 -g $(WARN) -D_GNU_SOURCE -Isrc -Isrc/nostr $< $(NOSTR) -o $@ -lcrypto -lsecp256k1 -lidn2 -lpsl -lm

# hostile databases are looked at, hence the sanitizers
build/test/geo_lookup: test/peers/maxmind/lookup.c src/crawl/geo.c $(NOSTR)
	@mkdir -p $(@D)
	$(CC) $(ASAN_CFLAGS) $^ -o $@ -lmaxminddb -ljansson -lcrypto -lsecp256k1 -lidn2 -lpsl -lm

build/test/delayline: test/bench/delayline.c
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -O2 -g $(WARN) -D_GNU_SOURCE $< -o $@

build/test/bench_core: test/bench/bench_core.c $(NOSTR)
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -O2 -g $(WARN) -D_GNU_SOURCE -Isrc $< $(NOSTR) -o $@ -lcrypto -lsecp256k1 -lidn2 -lpsl -lm

.PHONY: bench
bench:
	tools/setup test
	test/bench/run
	test/bench/monitor
	test/bench/sweep
	test/bench/tier
	test/bench/retention
	test/bench/transfer
	test/bench/queries
	test/bench/rtt
	BENCH_RELAYS=10000 BENCH_CONNECTIONS=256 BENCH_CPU=0 test/bench/sweep monitor
	test/bench/tail
	test/bench/analytics
	test/bench/far

# --- what others wrote: needs package registries, so no part of make test --
.PHONY: interop pgspot versions assertions interop-negentropy
interop:
	tools/setup test
	$(MAKE) -s -j2 all test-programs build/test/geo_lookup
	test/peers/setup
	tools/install
	test/run-tap test/peers/*.pl
	test/peers/product
	test/peers/negentropy/run
pgspot:
	tools/setup run
	test/peers/pgspot
versions:
	tools/setup test
	test/peers/versions
assertions:
	tools/setup test
	test/peers/assertions
interop-negentropy:
	test/peers/negentropy/run
