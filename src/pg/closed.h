/*
 * closed.h
 *
 * SQL fragments that select partitions that have ended.
 */
#ifndef BB_CLOSED_H
#define BB_CLOSED_H

/* A relation (oid, name, hi): the partitions of table parent that ended $1
 * seconds ago; hi, the first key behind, as pg_dump shows it. */
#define BB_CLOSED(parent) \
	"(SELECT c.oid, c.relname::text AS name, d.hi FROM pg_catalog.pg_inherits AS i " \
	"JOIN pg_catalog.pg_class AS c ON c.oid = i.inhrelid, " \
	"LATERAL (SELECT pg_catalog.substring(pg_catalog.pg_get_expr(c.relpartbound, c.oid), " \
	"'TO [(]''?([0-9]+)''?[)]')::bigint AS hi) AS d " \
	"WHERE i.inhparent = 'bigbrotr." parent "'::pg_catalog.regclass " \
	"AND d.hi <= (extract(epoch FROM pg_catalog.now())::bigint - $1) << 29)"

#endif
