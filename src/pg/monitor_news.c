/*
 * monitor_news.c
 *
 * See monitor_news.h.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "pg/archive.h"
#include "pg/foreign_text.h"
#include "pg/guc_monitor.h"
#include "pg/monitor_news.h"
#include "pg/monitor_publish.h"
#include "pg/publication.h"

static bool
take_document(const WireFrame *f, MonitorJob *j)
{
	WireReader	r;
	BbDocument	d = {.relay_id = j->relay_id, .at = j->started};
	const uint8 *type;
	size_t		len;

	wire_reader(&r, f);
	type = wire_get_bytes(&r, 32, &len);
	d.id = wire_get_fixed(&r, 32);
	d.stable = wire_get_fixed(&r, 32);
	d.json = wire_get_bytes(&r, WIRE_MAX_DOCUMENT, &d.len);
	d.raw = wire_get_bytes(&r, WIRE_MAX_NIP11, &d.raw_len);
	if (!wire_done(&r))
		return false;
	d.type = bb_foreign_text(type, len);
	/* times are in the series */
	if (strcmp(d.type, "nip66_rtt") != 0 && (bb_monitor_mask(bb_monitor_store) & bb_monitor_mask(d.type)) != 0)
		check_store_document(&d);
	return true;
}

static void
take_answer(WireReader *r, bool *asked, bool *ok, uint32 *us, const char **why)
{
	const uint8 *reason;
	size_t		len;

	*asked = wire_get_u8(r) != 0;
	*ok = wire_get_u8(r) != 0;
	*us = wire_get_u32(r);
	reason = wire_get_bytes(r, WIRE_MAX_TEXT, &len);
	if (!r->bad && *asked && !*ok)
		*why = MemoryContextStrdup(TopMemoryContext, bb_foreign_text(reason, len));
}

static bool
take_checked(const WireFrame *f, MonitorJob *j)
{
	BbSample   *s = &j->sample;
	WireReader	r;
	bool		asked;
	uint32		open_us;
	uint8		bits;
	int			status;
	const uint8 *id;
	const uint8 *event;
	size_t		len;

	wire_reader(&r, f);
	for (int i = 0; i < 4; i++)
		s->us[i] = wire_get_u32(&r);
	take_answer(&r, &asked, &s->opened, &open_us, &j->why.open);
	take_answer(&r, &s->read_asked, &s->read_ok, &s->us[4], &j->why.read);
	take_answer(&r, &s->write_asked, &s->write_ok, &s->us[5], &j->why.write);
	bits = wire_get_u8(&r);
	s->us[6] = wire_get_u32(&r);
	status = wire_get_u16(&r);
	id = wire_get_fixed(&r, 32);
	event = wire_get_bytes(&r, WIRE_MAX_EVENT, &len);
	if (!wire_done(&r) || j->checked)
		return false;
	s->at = j->started;
	s->write_live = (bits & 1) != 0;
	s->write_stored = (bits & 2) != 0;
	s->challenged = (bits & 4) != 0;
	s->nip11_asked = (bb_monitor_mask(bb_monitor_checks) & bb_monitor_mask("nip11_info")) != 0;
	s->nip11_ok = status == 200;
	j->checked = true;
	if (len > 0 && monitor_publishing())
		publication_queue(psprintf("30166:%s", j->name), id, event, len);
	return true;
}

static bool
take_result(const WireFrame *f, MonitorJob *j, int me)
{
	WireReader	r;
	uint8		outcome;
	const uint8 *class;
	const uint8 *reason;
	size_t		len;
	size_t		reason_len;

	wire_reader(&r, f);
	outcome = wire_get_u8(&r);
	class = wire_get_bytes(&r, WIRE_MAX_TEXT, &len);
	reason = wire_get_bytes(&r, WIRE_MAX_TEXT, &reason_len);
	if (r.bad)
		return false;
	if (j->type == MONITOR_CHECK)
	{
		/* without CHECKED the job could not even begin */
		j->sample.at = j->started;
		j->sample.failure = bb_foreign_text(class, len);
		if (!j->checked)
			j->why.open = MemoryContextStrdup(TopMemoryContext, bb_foreign_text(reason, reason_len));
		check_store_sample(j->relay_id, &j->sample, &j->why);
		if (!j->sample.opened)
			publication_withdraw(psprintf("30166:%s", j->name));
		archive_count("monitor", me, j->sample.opened ? "checks" : "failures", 1);
	}
	else if (j->type == MONITOR_SIGN && outcome != WIRE_OUTCOME_OK)
		ereport(LOG,
				(errmsg("could not announce the monitor: %s", bb_foreign_text(reason, reason_len))));
	monitor_job_free(j);
	return true;
}

bool
monitor_news(const WireFrame *f, int me)
{
	MonitorJob *j = monitor_job_find(f->job);

	if (j == NULL)
		return false;
	switch (f->type)
	{
		case WIRE_DOCUMENT:
			return j->type == MONITOR_CHECK && take_document(f, j);
		case WIRE_CHECKED:
			return j->type == MONITOR_CHECK && take_checked(f, j);
		case WIRE_PUBLISHED:
			return j->type == MONITOR_PUBLISH && monitor_published(f, j, me);
		case WIRE_SIGNED:
			return j->type == MONITOR_SIGN && monitor_signed(f, j);
		case WIRE_RESULT:
			return take_result(f, j, me);
		default:
			return false;
	}
}
