/*
 * net_service.c
 *
 * See net_service.h.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/timestamp.h"

#include "pg/net_service.h"
#include "pg/netd.h"
#include "pg/worker.h"

#define NOT_READY_MS	1000

void
bb_net_service(const BbNetService *s)
{
	TimestampTz next_look = 0;
	bool		look = true;
	bool		room = false;

	netd_start();
	for (;;)
	{
		int			busy;
		long		wait = NOT_READY_MS;

		if (bb_interrupts())
		{
			netd_reconfigure();
			look = true;
		}
		if (bb_run_requested())
			look = true;
		if (s->tick != NULL)
			s->tick();
		if (netd_lost())
		{
			s->forget();
			look = true;
		}
		if ((look || room) && netd_ready())
		{
			long		ms = s->start(look);
			TimestampTz at = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), ms);

			next_look = look ? at : Min(next_look, at);
		}
		if (netd_ready())
			wait = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), next_look);
		bb_idle(s->activity());
		busy = s->busy();
		/* false: it is time, or the latch tells of something else to do */
		look = !netd_poll(wait);
		while (s->frames())
			CHECK_FOR_INTERRUPTS();
		look |= GetCurrentTimestamp() >= next_look;
		room = s->busy() < busy;
	}
}
