/*
 * monitor_news.h
 *
 * Applies what bigbrotr-net reports about the monitor's jobs to the database,
 * inside a transaction of the caller, SPI not connected.
 */
#ifndef BB_MONITOR_NEWS_H
#define BB_MONITOR_NEWS_H

#include "postgres.h"

#include "wire/messages.h"

/* false: malformed, or nobody's.  me: the number of this worker. */
extern bool monitor_news(const WireFrame *f, int me);

#endif
