/* guc_check.h: check hooks of the settings; they explain what they refuse. */
#ifndef BB_GUC_CHECK_H
#define BB_GUC_CHECK_H

#include "postgres.h"

#include "utils/guc.h"

extern bool bb_check_databases(char **newval, void **extra, GucSource source);
extern bool bb_check_networks(char **newval, void **extra, GucSource source);
extern bool bb_check_proxy(char **newval, void **extra, GucSource source);
extern bool bb_check_overlay_proxy(char **newval, void **extra, GucSource source);
extern bool bb_check_path(char **newval, void **extra, GucSource source);
extern bool bb_check_filter(char **newval, void **extra, GucSource source);
extern bool bb_check_dns(char **newval, void **extra, GucSource source);

#endif
