/*
 * guc_check.c
 *
 * Check hooks: a value that cannot work is refused when it is set, with the
 * reason and the right form, not when a worker meets it.
 *
 * Must survive: any text; being called in the postmaster (no catalogs).
 */
#include "pg/compat.h"

#include "nodes/pg_list.h"
#include "utils/builtins.h"
#include "utils/varlena.h"

#include "nostr/filter.h"
#include "nostr/special_addr.h"
#include "pg/guc.h"
#include "pg/guc_check.h"
#include "wire/messages.h"

bool
bb_check_databases(char **newval, void **extra, GucSource source)
{
	char	   *raw;
	List	   *names = NIL;
	ListCell   *lc;
	bool		ok;

	if (*newval == NULL)
		return true;
	raw = pstrdup(*newval);
	ok = SplitIdentifierString(raw, ',', &names);
	if (!ok)
	{
		GUC_check_errdetail("List syntax is invalid.");
		GUC_check_errhint("Separate names with commas, and put names with capitals or special characters in double quotes.");
	}
	foreach(lc, names)
	{
		const char *name = lfirst(lc);

		if (ok && (strcmp(name, "template0") == 0 || strcmp(name, "template1") == 0))
		{
			GUC_check_errdetail("Database \"%s\" is a template database.", name);
			GUC_check_errhint("Workers in a template database would prevent copying it.");
			ok = false;
		}
	}
	if (ok && list_length(names) > BB_MAX_DATABASES)
	{
		GUC_check_errdetail("The list contains %d names.", list_length(names));
		GUC_check_errhint("Workers run in at most %d databases.", BB_MAX_DATABASES);
		ok = false;
	}
	list_free(names);
	pfree(raw);
	return ok;
}

bool
bb_check_networks(char **newval, void **extra, GucSource source)
{
	NostrCidrList list;
	size_t		bad = 0;

	if (*newval == NULL || **newval == '\0')
		return true;
	if (nostr_cidr_list_parse(*newval, &list, &bad))
		return true;
	if (bad > strlen(*newval))
		bad = strlen(*newval);
	GUC_check_errdetail("Invalid network address at \"%s\".", *newval + bad);
	GUC_check_errhint("Specify at most %d networks, such as \"10.0.0.0/8, fd00::/8\", without bits set to the right of the mask.",
					  NOSTR_CIDR_MAX);
	return false;
}

/* socks5h: names are resolved by the proxy, never here. */
bool
bb_check_proxy(char **newval, void **extra, GucSource source)
{
	static const char scheme[] = "socks5h://";
	const char *host;
	const char *colon;
	long		port = 0;
	char	   *end = NULL;

	if (*newval == NULL || **newval == '\0')
		return true;
	if (strncmp(*newval, scheme, sizeof(scheme) - 1) != 0)
	{
		GUC_check_errdetail("The proxy does not start with \"%s\".", scheme);
		GUC_check_errhint("Use \"socks5h://host:port\"; the proxy must also resolve host names.");
		return false;
	}
	host = *newval + sizeof(scheme) - 1;
	colon = strrchr(host, ':');
	if (colon && colon[1] >= '0' && colon[1] <= '9')
		port = strtol(colon + 1, &end, 10);
	if (colon == NULL || colon == host || port < 1 || port > 65535 || *end != '\0' ||
		strlen(*newval) > WIRE_MAX_PROXY || strpbrk(host, " \t\r\n/@?#") != NULL)
	{
		GUC_check_errdetail("\"%s\" is not host:port.", host);
		GUC_check_errhint("Use \"socks5h://host:port\" without user, password and path.");
		return false;
	}
	return true;
}

/* Overlay networks can be reached through their proxy only. */
bool
bb_check_overlay_proxy(char **newval, void **extra, GucSource source)
{
	if (*newval != NULL && **newval != '\0')
		return bb_check_proxy(newval, extra, source);
	GUC_check_errdetail("An overlay network cannot be reached without a proxy.");
	GUC_check_errhint("Use \"socks5h://host:port\"; to disable the network, turn off its \"_enabled\" setting.");
	return false;
}

bool
bb_check_path(char **newval, void **extra, GucSource source)
{
	if (*newval == NULL || **newval == '\0')
		return true;
	if (strlen(*newval) > WIRE_MAX_PATH)
	{
		GUC_check_errdetail("The path is longer than %d bytes.", WIRE_MAX_PATH);
		return false;
	}
	if (**newval == '/')
		return true;
	GUC_check_errdetail("\"%s\" is not an absolute path.", *newval);
	GUC_check_errhint("Start the path with \"/\".");
	return false;
}

/* What the synchronizer decides itself does not belong in its filter. */
static bool
filter_has_bounds(const NostrFilter *f)
{
	if (f->since != INT64_MIN || f->until != INT64_MAX || f->limit >= 0)
	{
		GUC_check_errdetail("The filter contains \"since\", \"until\" or \"limit\".");
		GUC_check_errhint("Use bigbrotr.synchronizer_since and bigbrotr.synchronizer_page instead.");
		return true;
	}
	if (f->search != NULL)
	{
		GUC_check_errdetail("The filter contains \"search\".");
		GUC_check_errhint("Each relay decides what a search finds, so no window could be proved complete.");
		return true;
	}
	if (nostr_filter_never(f))
	{
		GUC_check_errdetail("No event can match the filter: one of its lists is empty.");
		GUC_check_errhint("Omit the list to ask for every value. To disable the synchronizer, set bigbrotr.synchronizer_interval to 0.");
		return true;
	}
	return false;
}

/*
 * The value becomes its canonical text: coverage is kept per text, and a
 * filter that was only written in another way must find its coverage again.
 */
bool
bb_check_filter(char **newval, void **extra, GucSource source)
{
	NostrFilter f;
	NostrFilterReject why;
	NostrBuf	text;
	size_t		at;
	bool		ok;

	if (*newval == NULL)
		return true;
	why = nostr_filter_parse(*newval, strlen(*newval), &f, &at);
	ok = why == NOSTR_FILTER_OK;
	if (!ok)
	{
		GUC_check_errdetail("At byte %zu: %s.", at + 1, nostr_filter_reject_text(why));
		GUC_check_errhint("Use a NIP-01 filter such as '{\"kinds\":[0,3,10002]}'; '{}' asks for all events.");
	}
	ok = ok && !filter_has_bounds(&f);
	nostr_buf_init(&text, WIRE_MAX_FILTER);
	if (ok)
	{
		nostr_filter_json(&f, &text);
		nostr_buf_append_byte(&text, 0);
		ok = !text.failed;
		if (!ok)
			GUC_check_errdetail("The filter is longer than %d bytes.", WIRE_MAX_FILTER - 1);
	}
	if (ok)
		ok = bb_guc_replace(newval, (char *) text.data);
	nostr_buf_free(&text);
	nostr_filter_free(&f);
	return ok;
}

/* "addr", "addr:port" (IPv4), "[addr]" or "[addr]:port", appended as the
 * resolver library wants it: with brackets and a port. */
static bool
dns_server(char *item, NostrBuf *out)
{
	char	   *host = item;
	char	   *port = NULL;
	char	   *end = NULL;
	NostrAddr	addr;

	if (*item == '[')
	{
		char	   *close = strchr(++host, ']');

		if (close == NULL || (close[1] != '\0' && close[1] != ':'))
			return false;
		port = close[1] == ':' ? close + 2 : NULL;
		*close = '\0';
	}
	else if (strchr(item, ':') == strrchr(item, ':') && strchr(item, ':') != NULL)
	{
		port = strchr(item, ':') + 1;
		port[-1] = '\0';
	}
	if (!nostr_addr_parse(host, &addr) || (host != item && !addr.v6))
		return false;
	if (port != NULL && (*port < '1' || *port > '9' ||
						 strtol(port, &end, 10) > 65535 || *end != '\0'))
		return false;
	if (out->len > 0)
		nostr_buf_append_byte(out, ',');
	nostr_buf_append_str(out, addr.v6 ? "[" : "");
	nostr_buf_append_str(out, host);
	nostr_buf_append_str(out, addr.v6 ? "]:" : ":");
	nostr_buf_append_str(out, port != NULL ? port : "53");
	return true;
}

bool
bb_check_dns(char **newval, void **extra, GucSource source)
{
	char	   *raw = pstrdup(*newval ? *newval : "");
	NostrBuf	out;
	bool		ok = true;

	nostr_buf_init(&out, WIRE_MAX_DNS_SERVERS + 1);
	for (char *p = raw + strspn(raw, " "); *p != '\0' && ok;)
	{
		size_t		n = strcspn(p, ", ");
		char	   *next = p + n + strspn(p + n, " ");

		/* one comma between two servers */
		if (*next == ',')
		{
			next++;
			next += strspn(next, " ");
			ok = *next != '\0';
		}
		else
			ok = *next == '\0';
		p[n] = '\0';
		if (ok && !dns_server(p, &out))
			ok = false;
		p = next;
	}
	pfree(raw);
	nostr_buf_append_byte(&out, 0);
	if (ok && !out.failed)
		ok = bb_guc_replace(newval, (char *) out.data);
	else
	{
		if (ok)
			GUC_check_errdetail("The list is longer than %d bytes.", WIRE_MAX_DNS_SERVERS);
		else
			GUC_check_errdetail("A DNS server is specified by its address, with a port if it is not 53.");
		GUC_check_errhint("For example \"9.9.9.9, [2620:fe::fe]:5353\". If empty, the servers of the system are used.");
		ok = false;
	}
	nostr_buf_free(&out);
	return ok;
}
