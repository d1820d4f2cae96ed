/*
 * lookup.c
 *
 * What src/crawl/geo.c says of addresses: lookup CITY ASN ADDRESS...
 * One line for each address, the data of nip66_geo and of nip66_net; "" for a
 * database that is not used.  Status 2, with the reason, when one cannot be
 * opened.
 */
#include <stdio.h>
#include <stdlib.h>

#include "crawl/geo.h"

int
main(int argc, char **argv)
{
	const char *why;
	Geo		   *geo;

	if (argc < 4)
		return 3;
	geo = geo_open(argv[1], argv[2], &why);
	if (geo == NULL)
	{
		fprintf(stderr, "%s\n", why);
		return 2;
	}
	for (int i = 3; i < argc; i++)
	{
		NostrAddr	addr;
		json_t	   *place;
		json_t	   *line;
		char	   *text;

		if (!nostr_addr_parse(argv[i], &addr))
			return 3;
		place = geo_has_city(geo) ? geo_place(geo, &addr, 1, 9) : NULL;
		line = json_pack("{s:s, s:o, s:o}", "address", argv[i], "geo", place != NULL ? place : json_object(),
						 "net", geo_network(geo, &addr, 1));
		text = json_dumps(line, JSON_COMPACT | JSON_SORT_KEYS);
		puts(text);
		free(text);
		json_decref(line);
	}
	geo_close(geo);
	return 0;
}
