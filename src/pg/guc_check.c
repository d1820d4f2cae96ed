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
		GUC_check_errdetail("The list of database names is not well formed.");
		GUC_check_errhint("Separate names with commas; put names with capitals or special characters in double quotes.");
	}
	foreach(lc, names)
	{
		const char *name = lfirst(lc);

		if (ok && (strcmp(name, "template0") == 0 || strcmp(name, "template1") == 0))
		{
			GUC_check_errdetail("Database \"%s\" is a template.", name);
			GUC_check_errhint("Workers never run in a template: new databases could not be copied from it.");
			ok = false;
		}
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
	GUC_check_errdetail("Not a network address at \"%s\".", *newval + bad);
	GUC_check_errhint("Write networks as in \"10.0.0.0/8, fd00::/8\".");
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
		GUC_check_errhint("Write \"socks5h://host:port\": the proxy must also resolve the names.");
		return false;
	}
	host = *newval + sizeof(scheme) - 1;
	colon = strrchr(host, ':');
	if (colon && colon[1] >= '0' && colon[1] <= '9')
		port = strtol(colon + 1, &end, 10);
	if (colon == NULL || colon == host || port < 1 || port > 65535 || *end != '\0' ||
		strpbrk(host, " \t\r\n/@?#") != NULL)
	{
		GUC_check_errdetail("\"%s\" is not host:port.", host);
		GUC_check_errhint("Write \"socks5h://host:port\", without user, password and path.");
		return false;
	}
	return true;
}

bool
bb_check_path(char **newval, void **extra, GucSource source)
{
	if (*newval == NULL || **newval == '\0' || **newval == '/')
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
		GUC_check_errdetail("The filter has \"since\", \"until\" or \"limit\".");
		GUC_check_errhint("Use bigbrotr.synchronizer_since for the oldest event time and bigbrotr.synchronizer_page for the limit; the synchronizer moves the window itself.");
		return true;
	}
	if (f->search != NULL)
	{
		GUC_check_errdetail("The filter has \"search\".");
		GUC_check_errhint("What a search finds is up to each relay, so no window could ever be proved complete.");
		return true;
	}
	if (nostr_filter_never(f))
	{
		GUC_check_errdetail("No event can match the filter: one of its lists is empty.");
		GUC_check_errhint("Leave the list out to ask for every value; bigbrotr.synchronizer_interval = 0 turns the synchronizer off.");
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
		GUC_check_errhint("Write a NIP-01 filter such as '{\"kinds\":[0,3,10002]}'; '{}' asks for everything.");
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

bool
bb_check_dns(char **newval, void **extra, GucSource source)
{
	const char *s = *newval ? *newval : "";

	if (strspn(s, "0123456789abcdefABCDEF.:[], ") == strlen(s))
		return true;
	GUC_check_errdetail("A DNS server is given by its address, not by a name.");
	GUC_check_errhint("Write \"9.9.9.9, [2620:fe::fe]:53\"; empty means the system's servers.");
	return false;
}
