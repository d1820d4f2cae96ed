/*
 * failure_class.c
 *
 * How the classes of failure (names of net/failure.h) are read: see
 * relay_life.h.
 */
#include "postgres.h"

#include "pg/relay_life.h"

#define CLASS_MAX 40

static bool
listed(const char *class, const char *const *list)
{
	for (; *list != NULL; list++)
		if (strcmp(class, *list) == 0)
			return true;
	return false;
}

bool
failure_is_ours(const char *class)
{
	static const char *const list[] = {
		"resources", "cancelled", "network_disabled", "proxy_failed", NULL
	};

	return listed(class, list);
}

bool
failure_is_definite(const char *class)
{
	static const char *const list[] = {
		"dns_nxdomain", "address_refused", "not_nostr", "not_websocket", "http_status",
		"tls_certificate", NULL
	};

	return listed(class, list);
}

bool
failure_is_answer(const char *class)
{
	static const char *const list[] = {
		"refused", "auth_required", "rate_limited", "rate", "too_large", NULL
	};

	return listed(class, list);
}

const char *
failure_class(const char *class)
{
	size_t		n = strspn(class, "abcdefghijklmnopqrstuvwxyz0123456789_");

	return n > 0 && n <= CLASS_MAX && class[n] == '\0' ? class : "other";
}
