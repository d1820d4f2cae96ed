-- How complete the archive is, where it has gaps, and an overview in one row.

CREATE VIEW bigbrotr.relay_coverage AS
	SELECT r.id AS relay_id, r.url, r.state, w.filter,
		   (coalesce(c.complete, 0) / greatest(w.now - w.since, 1))::real AS covered,
		   coalesce(c.open_gaps, 0) AS open_gaps, make_interval(secs => w.now - c.head) AS head_lag,
		   r.live_since IS NOT NULL AS live, c.last_proof_at, r.last_ok_at,
		   CASE WHEN r.recheck_below IS NOT NULL AND r.recheck_held > 0
				THEN (1 - r.recheck_missed::float8 / r.recheck_held)::real ELSE r.recall END AS recall,
		   to_timestamp(r.recheck_below) AS rechecking
	FROM bigbrotr.relay AS r
	CROSS JOIN LATERAL (SELECT
		   coalesce(bigbrotr.filter_normalize(r.filter),
					nullif(current_setting('bigbrotr.synchronizer_filter', true), ''), '{}') AS filter,
		   greatest(1577836800, coalesce(r.since, nullif(current_setting('bigbrotr.synchronizer_since', true), '')::bigint)) AS since,
		   least(r.until + 1, extract(epoch FROM now())::bigint) AS now) AS w
	LEFT JOIN bigbrotr.coverage_filter AS f ON f.digest = sha256(convert_to(w.filter, 'UTF8'))
	LEFT JOIN LATERAL (SELECT
		   sum(greatest(0, least(coalesce(upper(v.range), w.now), w.now) - greatest(lower(v.range), w.since)))
			   FILTER (WHERE v.state = 'complete') AS complete,
		   count(*) FILTER (WHERE v.state = 'open') AS open_gaps,
		   max(coalesce(upper(v.range), w.now)) FILTER (WHERE v.state <> 'open') AS head,
		   max(v.checked_at) FILTER (WHERE v.state = 'complete') AS last_proof_at
		   FROM bigbrotr.coverage AS v WHERE v.relay_id = r.id AND v.filter_id = f.id) AS c ON true;
COMMENT ON VIEW bigbrotr.relay_coverage IS
	'how much of each relay is proved to be in the archive, for the filter currently in force (coverage of wider filters is not included)';
COMMENT ON COLUMN bigbrotr.relay_coverage.relay_id IS 'relay.id';
COMMENT ON COLUMN bigbrotr.relay_coverage.url IS 'relay.url';
COMMENT ON COLUMN bigbrotr.relay_coverage.state IS 'relay.state';
COMMENT ON COLUMN bigbrotr.relay_coverage.filter IS 'filter it is synchronized with';
COMMENT ON COLUMN bigbrotr.relay_coverage.covered IS
	'0 to 1: share of the seconds of created_at that are proved complete, from 2020 (or since, if later) until now (or until)';
COMMENT ON COLUMN bigbrotr.relay_coverage.open_gaps IS 'number of windows known to be missing, see open_gap';
COMMENT ON COLUMN bigbrotr.relay_coverage.head_lag IS
	'age of the newest time that is covered; while live, newer events arrive all the same';
COMMENT ON COLUMN bigbrotr.relay_coverage.live IS 'whether new events arrive through a subscription';
COMMENT ON COLUMN bigbrotr.relay_coverage.last_proof_at IS 'when a window was last proved complete';
COMMENT ON COLUMN bigbrotr.relay_coverage.last_ok_at IS 'when a pass last succeeded';
COMMENT ON COLUMN bigbrotr.relay_coverage.recall IS
	'0 to 1: share of the events shown in re-checks that had been observed before (in this round, else the last one); NULL if not measured';
COMMENT ON COLUMN bigbrotr.relay_coverage.rechecking IS
	'position of the current round of re-checks; NULL if none is running';

CREATE VIEW bigbrotr.open_gap AS
	SELECT r.url, f.filter, v.range, to_timestamp(lower(v.range)) AS since, to_timestamp(upper(v.range)) AS until,
		   v.reason, now() - v.first_at AS age, v.tried, v.checked_at, r.next_sync_at
	FROM bigbrotr.coverage AS v
	JOIN bigbrotr.relay AS r ON r.id = v.relay_id
	JOIN bigbrotr.coverage_filter AS f ON f.id = v.filter_id
	WHERE v.state = 'open';
COMMENT ON VIEW bigbrotr.open_gap IS 'windows of relays that are known to be missing, and why';
COMMENT ON COLUMN bigbrotr.open_gap.url IS 'relay.url';
COMMENT ON COLUMN bigbrotr.open_gap.filter IS 'coverage_filter.filter';
COMMENT ON COLUMN bigbrotr.open_gap.range IS 'window of created_at, Unix seconds';
COMMENT ON COLUMN bigbrotr.open_gap.since IS 'start of the window';
COMMENT ON COLUMN bigbrotr.open_gap.until IS 'end of the window, exclusive';
COMMENT ON COLUMN bigbrotr.open_gap.reason IS 'why the window could not be closed';
COMMENT ON COLUMN bigbrotr.open_gap.age IS 'time since the gap became known';
COMMENT ON COLUMN bigbrotr.open_gap.tried IS 'number of attempts to close it';
COMMENT ON COLUMN bigbrotr.open_gap.checked_at IS 'when it was last asked for';
COMMENT ON COLUMN bigbrotr.open_gap.next_sync_at IS 'when the relay will be asked again';

CREATE VIEW bigbrotr.progress AS
	SELECT r.live, r.degraded, r.dead, r.parked, r.aliases, r.excluded, r.relays_due, r.tails,
		   c.candidates, c.candidates_due, c.candidates_parked,
		   n.events, n.observations, n.rejected, n.passes, v.open_gaps, r.recall
	FROM (SELECT count(*) FILTER (WHERE state = 'live') AS live,
				 count(*) FILTER (WHERE state = 'degraded') AS degraded,
				 count(*) FILTER (WHERE state = 'dead') AS dead,
				 count(*) FILTER (WHERE state = 'parked') AS parked,
				 count(alias_of) AS aliases,
				 count(*) FILTER (WHERE excluded) AS excluded,
				 count(*) FILTER (WHERE next_sync_at <= now() AND NOT excluded AND alias_of IS NULL
								  AND live_since IS NULL) AS relays_due,
				 count(live_since) AS tails,
				 (1 - sum(recheck_missed) / nullif(sum(recheck_held), 0))::real AS recall
		  FROM bigbrotr.relay) AS r,
		 (SELECT count(*) AS candidates,
				 count(*) FILTER (WHERE next_attempt_at <= now()) AS candidates_due,
				 count(*) FILTER (WHERE next_attempt_at = 'infinity') AS candidates_parked
		  FROM bigbrotr.candidate) AS c,
		 (SELECT coalesce(sum(value) FILTER (WHERE name = 'events'), 0)::bigint AS events,
				 coalesce(sum(value) FILTER (WHERE name = 'observations'), 0)::bigint AS observations,
				 coalesce(sum(value) FILTER (WHERE name = 'rejected'), 0)::bigint AS rejected,
				 coalesce(sum(value) FILTER (WHERE name = 'passes' AND service = 'synchronizer'), 0)::bigint AS passes
		  FROM bigbrotr.counter) AS n,
		 (SELECT count(*) AS open_gaps FROM bigbrotr.coverage WHERE state = 'open') AS v;
COMMENT ON VIEW bigbrotr.progress IS 'overview of the archive in one row; cheap, reads no events';
COMMENT ON COLUMN bigbrotr.progress.live IS 'number of relays whose last pass succeeded';
COMMENT ON COLUMN bigbrotr.progress.degraded IS 'number of relays whose last pass failed';
COMMENT ON COLUMN bigbrotr.progress.dead IS 'number of relays unreachable for days';
COMMENT ON COLUMN bigbrotr.progress.parked IS 'number of relays given up until they are mentioned again';
COMMENT ON COLUMN bigbrotr.progress.aliases IS 'number of relays that are another one under a different path';
COMMENT ON COLUMN bigbrotr.progress.excluded IS 'number of relays that an operator excluded';
COMMENT ON COLUMN bigbrotr.progress.relays_due IS 'number of relays due for synchronization';
COMMENT ON COLUMN bigbrotr.progress.tails IS 'number of relays whose new events arrive through a subscription';
COMMENT ON COLUMN bigbrotr.progress.candidates IS 'number of addresses not yet validated';
COMMENT ON COLUMN bigbrotr.progress.candidates_due IS 'number of candidates due for validation';
COMMENT ON COLUMN bigbrotr.progress.candidates_parked IS 'number of candidates given up until they are mentioned again';
COMMENT ON COLUMN bigbrotr.progress.events IS 'number of events stored, from the counters';
COMMENT ON COLUMN bigbrotr.progress.observations IS 'number of observations stored, from the counters';
COMMENT ON COLUMN bigbrotr.progress.rejected IS 'number of events refused, from the counters';
COMMENT ON COLUMN bigbrotr.progress.passes IS 'number of successful passes over relays';
COMMENT ON COLUMN bigbrotr.progress.open_gaps IS 'number of windows known to be missing';
COMMENT ON COLUMN bigbrotr.progress.recall IS
	'0 to 1: share of the events shown in the last re-checks that had been observed before; NULL if not measured';
