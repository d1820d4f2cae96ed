-- Privileges: nothing for PUBLIC; reader reads, writer archives, operator controls.

REVOKE ALL ON SCHEMA bigbrotr FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA bigbrotr FROM PUBLIC;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA bigbrotr FROM PUBLIC;
REVOKE ALL ON ALL ROUTINES IN SCHEMA bigbrotr FROM PUBLIC;
REVOKE ALL ON TYPE bigbrotr.tags FROM PUBLIC;

GRANT USAGE ON SCHEMA bigbrotr TO bigbrotr_reader;
GRANT USAGE ON TYPE bigbrotr.tags TO bigbrotr_reader;
GRANT SELECT ON bigbrotr.relay, bigbrotr.candidate, bigbrotr.seed, bigbrotr.event, bigbrotr.observation,
	bigbrotr.coverage, bigbrotr.coverage_filter, bigbrotr.rejected_event, bigbrotr.counter, bigbrotr.service,
	bigbrotr.mention, bigbrotr.mention_refused, bigbrotr.discovery, bigbrotr.source, bigbrotr.maintenance,
	bigbrotr.observation_by_event, bigbrotr.observation_by_relay, bigbrotr.observation_packed,
	bigbrotr.observation_all, bigbrotr.compaction, bigbrotr.index_pack, bigbrotr.retention, bigbrotr.orphan,
	bigbrotr.event_relay, bigbrotr.service_state, bigbrotr.status, bigbrotr.progress,
	bigbrotr.relay_coverage, bigbrotr.open_gap, bigbrotr.search_index, bigbrotr.ruling
	TO bigbrotr_reader;
GRANT SELECT ON bigbrotr.ingest_delta, bigbrotr.tally_author, bigbrotr.tally_author_kind, bigbrotr.tally_kind,
	bigbrotr.tally_total, bigbrotr.tally_day, bigbrotr.tally_day_author, bigbrotr.tally_day_kind, bigbrotr.tally_time,
	bigbrotr.tally_relay, bigbrotr.tally_relay_kind, bigbrotr.tally_relay_author, bigbrotr.tally_network,
	bigbrotr.tally_network_author, bigbrotr.tally_network_kind, bigbrotr.tally_network_event, bigbrotr.tally_latest,
	bigbrotr.tally_orphan, bigbrotr.event_stats, bigbrotr.relay_stats, bigbrotr.kind_counts,
	bigbrotr.kind_counts_by_relay, bigbrotr.pubkey_counts, bigbrotr.pubkey_counts_by_relay, bigbrotr.network_stats,
	bigbrotr.relay_software_counts, bigbrotr.supported_nip_counts, bigbrotr.event_daily_counts,
	bigbrotr.events_replaceable_latest, bigbrotr.events_addressable_latest, bigbrotr.analytics_status
	TO bigbrotr_reader;
GRANT EXECUTE ON FUNCTION bigbrotr.kind_category(integer), bigbrotr.d_tag(bigbrotr.tags),
	bigbrotr.d_digest(bigbrotr.tags), bigbrotr.tagvalues(bigbrotr.tags), bigbrotr.tally_date(integer), bigbrotr.tally_day(bigint), bigbrotr.tally_day(date),
	bigbrotr.events_since(bigint) TO bigbrotr_reader;
GRANT SELECT ON bigbrotr.author_lifespan, bigbrotr.kind_days TO bigbrotr_reader;
GRANT EXECUTE ON FUNCTION bigbrotr.active_authors(text, date, date), bigbrotr.distinct_authors(text[], date, date),
	bigbrotr.redundancy(timestamptz, timestamptz), bigbrotr.relay_overlap(text, timestamptz, timestamptz),
	bigbrotr.relay_cover_keys(bigint, bigint, integer, bigint),
	bigbrotr.relay_cover(timestamptz, timestamptz, integer, bigint), bigbrotr.hashtag_days(date, date, integer),
	bigbrotr.relay_series(text, interval, timestamptz, timestamptz),
	bigbrotr.pagerank(double precision, integer, double precision, bigint) TO bigbrotr_reader;
GRANT INSERT ON bigbrotr.ingest_delta TO bigbrotr_writer;
-- refresh, rebuild and verify count by themselves
GRANT INSERT, UPDATE, DELETE ON bigbrotr.maintenance, bigbrotr.ingest_delta, bigbrotr.tally_author,
	bigbrotr.tally_author_kind, bigbrotr.tally_kind, bigbrotr.tally_total, bigbrotr.tally_day,
	bigbrotr.tally_day_author, bigbrotr.tally_day_kind, bigbrotr.tally_time, bigbrotr.tally_relay,
	bigbrotr.tally_relay_kind, bigbrotr.tally_relay_author, bigbrotr.tally_network, bigbrotr.tally_network_author,
	bigbrotr.tally_network_kind, bigbrotr.tally_network_event, bigbrotr.tally_latest, bigbrotr.tally_orphan
	TO bigbrotr_operator;
GRANT USAGE ON SEQUENCE bigbrotr.tally_author_id_seq TO bigbrotr_operator;
GRANT EXECUTE ON FUNCTION bigbrotr.refresh(text), bigbrotr.rebuild(text), bigbrotr.verify(text)
	TO bigbrotr_operator;
GRANT EXECUTE ON FUNCTION
	bigbrotr.tags_in(cstring), bigbrotr.tags_out(bigbrotr.tags), bigbrotr.tags_recv(internal),
	bigbrotr.tags_send(bigbrotr.tags), bigbrotr.tags_eq(bigbrotr.tags, bigbrotr.tags),
	bigbrotr.tags_ne(bigbrotr.tags, bigbrotr.tags), bigbrotr.tags_to_jsonb(bigbrotr.tags),
	bigbrotr.jsonb_to_tags(jsonb), bigbrotr.tag_count(bigbrotr.tags),
	bigbrotr.tag_values(bigbrotr.tags, text), bigbrotr.tag_first(bigbrotr.tags, text),
	bigbrotr.tags_any(bigbrotr.tags, text[]), bigbrotr.tags_all(bigbrotr.tags, text[]),
	bigbrotr.tags_gin_values(bigbrotr.tags, internal, internal),
	bigbrotr.tags_gin_query(text[], internal, int2, internal, internal, internal, internal),
	bigbrotr.tags_gin_match(internal, int2, text[], int4, internal, internal, internal),
	bigbrotr.id_code(bytea), bigbrotr.author_code(bytea, integer), bigbrotr.time_code(bigint), bigbrotr.time_slot(bigint),
	bigbrotr.key_first(bigint), bigbrotr.key_last(bigint),
	bigbrotr.ruling_codes(integer, bytea, bigbrotr.tags),
	bigbrotr.search_vector(regconfig, integer, text), bigbrotr.search_index_of(regclass),
	bigbrotr.query(jsonb, text, integer, text), bigbrotr.count(jsonb, text, text),
	bigbrotr.event_verify(text), bigbrotr.event_reject_reason(text), bigbrotr.event_json(bigbrotr.event), bigbrotr.event_flags(bigbrotr.event),
	bigbrotr.filter_normalize(text), bigbrotr.filter_reject_reason(text),
	bigbrotr.relay_normalize(text), bigbrotr.relay_reject_reason(text),
	bigbrotr.via_names(integer), bigbrotr.sketch_merge(bytea, bytea), bigbrotr.sketch_count(bytea),
	bigbrotr.npub(bytea), bigbrotr.npub(text), bigbrotr.note(bytea), bigbrotr.note(text),
	bigbrotr.nip19_decode(text), bigbrotr.nip19_hex(text),
	bigbrotr.packed_unpack(bigint, integer, bytea), bigbrotr.packed_verify(), bigbrotr.archive_partitions(), bigbrotr.archive_bytes(),
	bigbrotr.retention_preview(),
	bigbrotr.coverage_missing(integer, text, bigint, bigint), bigbrotr.partition_bound(timestamptz), bigbrotr.worker_status()
	TO bigbrotr_reader;

GRANT INSERT ON bigbrotr.event, bigbrotr.observation TO bigbrotr_writer;
GRANT INSERT, UPDATE ON bigbrotr.rejected_event, bigbrotr.counter TO bigbrotr_writer;
-- coverage_record locks the relay's row: that needs the right to update something;
-- a mention revives a parked relay
GRANT INSERT (url, network, discovered_at), UPDATE (observations, next_sync_at) ON bigbrotr.relay TO bigbrotr_writer;
GRANT INSERT, UPDATE ON bigbrotr.mention, bigbrotr.mention_refused TO bigbrotr_writer;
GRANT INSERT, UPDATE, DELETE ON bigbrotr.candidate, bigbrotr.coverage TO bigbrotr_writer;
GRANT INSERT ON bigbrotr.coverage_filter TO bigbrotr_writer;
GRANT EXECUTE ON FUNCTION bigbrotr.coverage_record(integer, text, bigint, bigint, text, text, text) TO bigbrotr_writer;
GRANT EXECUTE ON FUNCTION bigbrotr.event_ingest(text[], text, timestamptz),
	bigbrotr.event_ingest(text, text, timestamptz) TO bigbrotr_writer;

GRANT INSERT, UPDATE, DELETE ON bigbrotr.seed, bigbrotr.source, bigbrotr.retention TO bigbrotr_operator;
GRANT UPDATE (paused) ON bigbrotr.service TO bigbrotr_operator;
GRANT UPDATE (priority, excluded, filter, since, until, page_limit, max_requests_per_minute, timeout_ms,
	next_sync_at) ON bigbrotr.relay TO bigbrotr_operator;
GRANT EXECUTE ON FUNCTION bigbrotr.run(text), bigbrotr.wake(), bigbrotr.service_set_paused(text, boolean),
	bigbrotr.pause(text), bigbrotr.resume(text) TO bigbrotr_operator;

REVOKE ALL ON TYPE bigbrotr.check_sample FROM PUBLIC;
GRANT USAGE ON TYPE bigbrotr.check_sample TO bigbrotr_reader;
GRANT SELECT ON bigbrotr.document, bigbrotr.relay_document, bigbrotr.check_series, bigbrotr.relay_monitor,
	bigbrotr.publication, bigbrotr.relay_check, bigbrotr.metadata, bigbrotr.relay_metadata,
	bigbrotr.relay_metadata_latest, bigbrotr.certificate, bigbrotr.peer_news, bigbrotr.peer_monitor,
	bigbrotr.peer_report, bigbrotr.monitor_report, bigbrotr.relay_comparison
	TO bigbrotr_reader;
GRANT EXECUTE ON FUNCTION bigbrotr.peer_ms(bigbrotr.tags, text), bigbrotr.peer_words(bigbrotr.tags, text, text)
	TO bigbrotr_reader;
GRANT INSERT ON bigbrotr.peer_news TO bigbrotr_writer;
GRANT UPDATE (counted, trusted) ON bigbrotr.peer_monitor TO bigbrotr_operator;
GRANT EXECUTE ON FUNCTION bigbrotr.check_unpack(bytea), bigbrotr.rtt_document(bigbrotr.check_sample),
	bigbrotr.relay_uptime(text, timestamptz, timestamptz),
	bigbrotr.relay_rtt(text, double precision, timestamptz, timestamptz),
	bigbrotr.relay_changes(text, timestamptz, timestamptz) TO bigbrotr_reader;
GRANT EXECUTE ON FUNCTION bigbrotr.check_request(integer), bigbrotr.check(text, interval) TO bigbrotr_operator;

GRANT SELECT ON bigbrotr.transfer TO bigbrotr_reader;
GRANT EXECUTE ON FUNCTION bigbrotr.check_pack(bigbrotr.check_sample[]), bigbrotr.python_number(text) TO bigbrotr_reader;
GRANT EXECUTE ON FUNCTION bigbrotr.observe(bigint[], bytea[], integer[], bigint[]) TO bigbrotr_writer;
-- and membership of pg_read_server_files, pg_write_server_files, which is the server's to give
GRANT INSERT, UPDATE ON bigbrotr.transfer TO bigbrotr_operator;
GRANT EXECUTE ON FUNCTION bigbrotr.import_step(integer), bigbrotr.export_step(integer) TO bigbrotr_operator;
GRANT EXECUTE ON PROCEDURE bigbrotr.import_jsonl(text, text, boolean), bigbrotr.export_jsonl(text, boolean) TO bigbrotr_operator;
