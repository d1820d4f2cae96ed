/*
 * settings.h
 *
 * Reads CONFIG frames into a NetConfig.
 */
#ifndef NETD_SETTINGS_H
#define NETD_SETTINGS_H

#include "../net/net.h"
#include "../wire/messages.h"

/* false: why[size] names the setting that is unknown or wrong. */
extern bool settings_read(const WireFrame *f, NetConfig *c, char *why, size_t size);

#endif
