# lead_qual: sales lead qualification inside PostgreSQL
#
#   make demo    build, start a throwaway server, show a funnel at work
#   make test    build and run every test; the last line is the tally
#   make         build against $(PG_CONFIG);  make install  to install
#
# demo and test fetch the Debian packages that are missing and install nothing
# of their own.  What they understand:
#   make demo DATA=folder    also load the real data in that folder
#   make demo KEEP=1         leave the server up and say how to reach it
#   make test TESTS=...      kinds or files: "lint pgtap test/sql/bant_io.sql"
EXTENSION = lead_qual
PG_CONFIG ?= pg_config

# These goals run scripts that bring what they need, pg_config included, so
# they must not stop at PGXS.  Nor may PGXS see DATA, a word of its own.
SCRIPTED = demo test check lint reference indent indent-check typedefs packages
.PHONY: $(SCRIPTED)

ifneq ($(MAKECMDGOALS),)
ifeq ($(filter-out $(SCRIPTED),$(MAKECMDGOALS)),)
SCRIPTS_ONLY = yes
endif
endif

advice = $(shell PG_CONFIG='$(PG_CONFIG)' test/packages --advice)

# a script that builds runs its own make, without our command line
run_script = @unset MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL; exec

ifdef SCRIPTS_ONLY

demo:
	@test/packages demo
	$(run_script) test/demo/run

test:
	@test/packages test
	$(run_script) test/run $(TESTS)

lint:
	@test/packages test
	$(run_script) test/run lint

reference:
	@test/packages test
	$(run_script) test/reference

packages:
	@test/packages test

indent:
	$(run_script) test/indent

indent-check:
	$(run_script) test/indent --check

typedefs:
	$(run_script) test/indent --typedefs

check:
	@echo 'PGXS gives "make check" no meaning; use "make test".' >&2
	@exit 1

else

PGXS := $(wildcard $(shell $(PG_CONFIG) --pgxs 2>/dev/null))
SERVER_HEADER := $(wildcard $(shell $(PG_CONFIG) --includedir-server 2>/dev/null)/postgres.h)
ifeq ($(and $(PGXS),$(SERVER_HEADER)),)
$(error lead_qual builds against the headers of PostgreSQL 15 or later, which "$(PG_CONFIG)" does not lead to: $(advice))
endif

TEMPLATE := $(shell sed -n 's/^\#define LQ_TEMPLATE_VERSION[[:space:]]*//p' src/funnel/template.h)
EXTVERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" lead_qual.control)

MODULE_big = lead_qual
OBJS = $(patsubst %.c,%.o,$(sort $(wildcard src/*.c src/*/*.c)))
PG_CPPFLAGS = -I$(srcdir)/src
PG_CFLAGS = -Wextra -Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers

# an update script from each release: what it did not have yet
RELEASES = $(filter-out $(EXTVERSION),$(notdir $(wildcard test/upgrade/[0-9]*)))
UPDATES = $(foreach release,$(RELEASES),sql/lead_qual--$(release)--$(EXTVERSION).sql)
DATA_built = sql/lead_qual--$(EXTVERSION).sql $(UPDATES)

REGRESS = $(sort $(notdir $(basename $(wildcard test/sql/*.sql))))
REGRESS_OPTS = --inputdir=test --load-extension=lead_qual
ISOLATION = $(sort $(notdir $(basename $(wildcard test/isolation/specs/*.spec))))
ISOLATION_OPTS = --inputdir=test/isolation --load-extension=lead_qual
TAP_TESTS = 1
PROVE_TESTS = test/t/*.pl

include $(PGXS)

ifneq ($(filter 9.% 10 11 12 13 14,$(MAJORVERSION)),)
$(error lead_qual needs PostgreSQL 15 or later; "$(PG_CONFIG)" is of $(VERSION))
endif
ifeq ($(shell command -v $(firstword $(CC))),)
$(error there is no C compiler "$(firstword $(CC))": $(advice))
endif

# 15 looks for expected/ where it writes, then where it reads; later servers
# are told
ifneq ($(MAJORVERSION),15)
REGRESS_OPTS += --expecteddir=.
ISOLATION_OPTS += --expecteddir=test/isolation
endif

$(OBJS): $(wildcard src/*.h src/*/*.h)

# steps of upgrade_funnel() come before the check that ends the script
FRAGMENTS = $(sort $(wildcard sql/[0-8][0-9]_*.sql)) $(wildcard sql/upgrade/*.sql) $(sort $(wildcard sql/9[0-9]_*.sql))

sql/lead_qual--$(EXTVERSION).sql: $(FRAGMENTS) sql/each_type.awk src/type/framework_list.h src/funnel/template.h lead_qual.control Makefile
	for file in $(FRAGMENTS); do \
		case $$file in \
		*_type.sql) \
			awk -f sql/each_type.awk src/type/framework_list.h $$file ;; \
		*_template.sql) sed 's/@TEMPLATE_VERSION@/$(TEMPLATE)/' $$file ;; \
		*) cat $$file ;; \
		esac || exit 1; \
	done > $@

$(UPDATES): sql/lead_qual--%--$(EXTVERSION).sql: test/upgrade/% sql/lead_qual--$(EXTVERSION).sql sql/changes.awk
	{ printf '%s\n' '\echo Use "ALTER EXTENSION lead_qual UPDATE" to load this file. \quit'; \
		awk -f sql/changes.awk test/upgrade/$*/lead_qual--$*.sql sql/lead_qual--$(EXTVERSION).sql; } > $@

# named together with an ordinary goal: hand over to a make of their own
$(filter-out check,$(SCRIPTED)):
	+$(run_script) $(MAKE) $@

endif
