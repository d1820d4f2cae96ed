/* netd_config.h: the settings of a bigbrotr-net as one CONFIG frame. */
#ifndef BB_NETD_CONFIG_H
#define BB_NETD_CONFIG_H

#include "wire/messages.h"

extern void netd_put_config(NostrBuf *out);

#endif
