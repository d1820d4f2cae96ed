-- What belongs to nothing is removed in batches, everything else stays.
BEGIN;
SELECT no_plan();
SELECT bigbrotr.partition_ensure();
CREATE TEMP VIEW state AS SELECT (SELECT count(*) FROM bigbrotr.observation) AS rows, (SELECT count(*) FROM bigbrotr.observation_packed) AS packed;

-- 300 events, each on three relays; the older half packed; every tenth event lost
INSERT INTO bigbrotr.event (key, created_at, kind, id, pubkey)
SELECT (1684000000 + g * 100000)::bigint << 29, 1684000000 + g * 100000, 1, sha256(g::text::bytea), sha256('a') FROM generate_series(1, 300) AS g;
INSERT INTO bigbrotr.observation SELECT key, r, 5 FROM bigbrotr.event, generate_series(1, 3) AS r WHERE created_at < 1699000000;
DO $$ BEGIN WHILE bigbrotr.compact_step(true) LOOP END LOOP; END $$;
INSERT INTO bigbrotr.observation SELECT key, r, 5 FROM bigbrotr.event, generate_series(1, 3) AS r WHERE created_at >= 1699000000;
SELECT results_eq('SELECT * FROM state', 'VALUES (453::bigint, 447::bigint)', 'rows and packed ones');
SELECT is(bigbrotr.orphan_clean(), 900::bigint, 'a first round looks at all of them');
SELECT results_eq('SELECT * FROM state', 'VALUES (453::bigint, 447::bigint)', 'and removes nothing');
SELECT is(bigbrotr.orphan_clean(), 0::bigint, 'the next one is a week later');
DELETE FROM bigbrotr.event WHERE (created_at / 100000) % 10 = 3;
CREATE TEMP TABLE kept AS SELECT o.* FROM bigbrotr.observation_all AS o JOIN bigbrotr.event AS e USING (key);
SELECT is((SELECT count(*) FROM kept), 810::bigint, 'thirty events are lost');
SELECT is(bigbrotr.orphan_clean(true, 100), 100::bigint, 'a batch');
SELECT cmp_ok((SELECT position FROM bigbrotr.orphan WHERE kind = 'observation'), '>', 0::bigint, 'is remembered');
DO $$ BEGIN WHILE bigbrotr.orphan_clean(false, 100) >= 100 LOOP END LOOP; END $$;
SELECT is((SELECT position FROM bigbrotr.orphan WHERE kind = 'observation'), 0::bigint, 'to the end');
SELECT is((SELECT removed FROM bigbrotr.orphan WHERE kind = 'observation'), 30::bigint, 'counted');
SELECT set_eq('SELECT * FROM bigbrotr.observation_all', 'SELECT * FROM kept', 'those of lost events are gone, all others are there');
SELECT is_empty('SELECT * FROM bigbrotr.packed_verify()', 'packed ones in both forms');

-- documents and samples
INSERT INTO bigbrotr.document (id, type, data) SELECT sha256(g::text::bytea), 'nip11_info', to_jsonb(g) FROM generate_series(1, 3) AS g;
INSERT INTO bigbrotr.relay_document (relay_id, type, generated_at, confirmed_at, document_id, stable) VALUES (1, 'nip11_info', 1, 1, sha256('2'), '');
INSERT INTO bigbrotr.rejected_event (relay_id, reason, slot, count, sample, first_seen_at, last_seen_at)
VALUES (1, 'x', 0, 7, 'old', now() - interval '100 days', now() - interval '91 days'), (1, 'x', 1, 8, 'new', now(), now());
SELECT is(bigbrotr.orphan_clean(), 0::bigint, 'once a day');
SELECT is((SELECT count(*) FROM bigbrotr.document), 3::bigint, 'nothing happens before');
UPDATE bigbrotr.orphan SET round_at = now() - interval '25 hours' WHERE kind = 'document';
SELECT is(bigbrotr.orphan_clean(), 0::bigint, 'a day later');
SELECT results_eq('SELECT id FROM bigbrotr.document', $$VALUES (sha256('2'))$$, 'documents that nobody had are gone');
SELECT results_eq('SELECT slot, count, sample FROM bigbrotr.rejected_event ORDER BY slot', $$VALUES (0::smallint, 7::bigint, NULL::bytea), (1::smallint, 8::bigint, 'new'::bytea)$$,
	'old samples are emptied, their counts stay');
SELECT results_eq('SELECT kind, removed FROM bigbrotr.orphan ORDER BY 1', $$VALUES ('document', 2::bigint), ('observation', 30::bigint), ('sample', 1::bigint)$$, 'counted');
SELECT * FROM finish();
ROLLBACK;
