/*
 * pgfree.h
 *
 * The wall between the two processes.  Code in src/nostr, src/net, src/crawl,
 * src/wire and src/netd is compiled without PostgreSQL: it must never palloc,
 * ereport or longjmp, because it runs inside foreign libraries' callbacks and
 * in bigbrotr-net, where no PostgreSQL exists.  Headers of those folders
 * include this file first only in .c files of their own folder; the .c files
 * of src/pg may include the headers, never this file.
 */
#ifdef POSTGRES_H
#error "this file must not be compiled with PostgreSQL headers"
#endif
