# lead_qual: sales lead qualification inside PostgreSQL
EXTENSION = lead_qual
EXTVERSION = $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" lead_qual.control)

MODULE_big = lead_qual
OBJS = $(patsubst %.c,%.o,$(sort $(wildcard src/*.c)))
PG_CPPFLAGS = -I$(srcdir)/src
PG_CFLAGS = -Wextra -Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers

DATA_built = sql/lead_qual--$(EXTVERSION).sql
DATA = $(wildcard sql/lead_qual--*--*.sql)

REGRESS = $(sort $(notdir $(basename $(wildcard test/sql/*.sql))))
REGRESS_OPTS = --inputdir=test --load-extension=lead_qual
ISOLATION = $(sort $(notdir $(basename $(wildcard test/isolation/specs/*.spec))))
ISOLATION_OPTS = --inputdir=test/isolation --load-extension=lead_qual
TAP_TESTS = 1
PROVE_TESTS = test/t/*.pl

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

$(OBJS): $(wildcard src/*.h)

sql/lead_qual--$(EXTVERSION).sql: $(sort $(wildcard sql/[0-9][0-9]_*.sql))
	cat $^ > $@
