/*
 * failure.c
 *
 * Names of the failures.  They are written to the archive and read by SQL:
 * add at the end, never rename.
 */
#include "../nostr/pgfree.h"

#include "failure.h"

static const char *const failure_names[NET_FAILURE_COUNT] = {
	[NET_OK] = "ok",
	[NET_CANCELLED] = "cancelled",
	[NET_TIMEOUT] = "timeout",
	[NET_DNS_NXDOMAIN] = "dns_nxdomain",
	[NET_DNS_FAILED] = "dns_failed",
	[NET_ADDRESS_REFUSED] = "address_refused",
	[NET_NETWORK_DISABLED] = "network_disabled",
	[NET_CONNECT_REFUSED] = "connect_refused",
	[NET_CONNECT_FAILED] = "connect_failed",
	[NET_PROXY_FAILED] = "proxy_failed",
	[NET_TLS_CERTIFICATE] = "tls_certificate",
	[NET_TLS_FAILED] = "tls_failed",
	[NET_HTTP_STATUS] = "http_status",
	[NET_NOT_WEBSOCKET] = "not_websocket",
	[NET_PROTOCOL] = "protocol",
	[NET_TOO_LARGE] = "too_large",
	[NET_DISCONNECTED] = "disconnected",
	[NET_RATE] = "rate",
	[NET_NOT_NOSTR] = "not_nostr",
	[NET_REFUSED] = "refused",
	[NET_AUTH_REQUIRED] = "auth_required",
	[NET_RATE_LIMITED] = "rate_limited",
	[NET_RESOURCES] = "resources",
};

const char *
net_failure_name(NetFailure f)
{
	if ((int) f < 0 || f >= NET_FAILURE_COUNT)
		return "unknown";
	return failure_names[f];
}
