-- Everything that the catalogs say about the extension and its partitions, one
-- line each, so that one that was updated can be compared with a new one.
\pset format unaligned
\pset tuples_only on
\pset fieldsep ' | '
SET search_path = pg_catalog;
CREATE TEMP TABLE member AS
	SELECT d.classid, d.objid FROM pg_depend AS d JOIN pg_extension AS e ON e.oid = d.refobjid AND e.extname = 'bigbrotr'
	WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e';
-- partitions and composite types, too
CREATE TEMP VIEW class AS
	SELECT c.* FROM pg_class AS c WHERE c.relnamespace = 'bigbrotr'::regnamespace AND c.relkind NOT IN ('i', 'I', 't');
CREATE FUNCTION pg_temp.acl(aclitem[]) RETURNS text LANGUAGE sql AS
	$$ SELECT string_agg(a::text, ',' ORDER BY a::text COLLATE "C") FROM unnest($1) AS a $$;

SELECT * FROM (
	SELECT 'object' AS kind, pg_describe_object(classid, objid, 0) AS name, '' AS part, obj_description(objid, classid::regclass::name) AS value FROM member
	UNION ALL SELECT 'relation', c.oid::regclass::text, '', concat_ws(' ', c.relkind, c.relpersistence, c.relreplident, c.relrowsecurity,
		array_to_string(c.reloptions, ','), pg_get_partkeydef(c.oid),
		pg_get_expr(c.relpartbound, c.oid), 'acl', pg_temp.acl(c.relacl)) FROM class AS c
	UNION ALL SELECT 'view', c.oid::regclass::text, '', pg_get_viewdef(c.oid) FROM class AS c WHERE c.relkind IN ('v', 'm')
	UNION ALL SELECT 'foreign table', c.oid::regclass::text, '', concat_ws(' ', s.srvname, array_to_string(f.ftoptions, ','))
		FROM class AS c JOIN pg_foreign_table AS f ON f.ftrelid = c.oid JOIN pg_foreign_server AS s ON s.oid = f.ftserver
	UNION ALL SELECT 'sequence', c.oid::regclass::text, '', concat_ws(' ', s.seqtypid::regtype, s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache, s.seqcycle)
		FROM class AS c JOIN pg_sequence AS s ON s.seqrelid = c.oid
	-- the order of columns, but not their numbers: a dropped one leaves a gap
	UNION ALL SELECT 'column', c.oid::regclass::text, lpad((row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum))::text, 3) || ' ' || a.attname,
		concat_ws(' ', format_type(a.atttypid, a.atttypmod), 'not null', a.attnotnull, 'default', pg_get_expr(d.adbin, d.adrelid),
			'identity', a.attidentity, 'generated', a.attgenerated, 'storage', a.attstorage, 'compression', a.attcompression,
			(SELECT string_agg(o, ',' ORDER BY o) FROM unnest(a.attoptions) AS o WHERE o LIKE 'n_distinct%'), 'acl', pg_temp.acl(a.attacl), 'comment', col_description(c.oid, a.attnum))
		FROM class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
		LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
	UNION ALL SELECT 'constraint', k.conrelid::regclass::text, k.conname, pg_get_constraintdef(k.oid)
		FROM pg_constraint AS k WHERE k.conrelid IN (SELECT oid FROM class)
	UNION ALL SELECT 'index', i.indrelid::regclass::text, i.indexrelid::regclass::text, concat_ws(' ', pg_get_indexdef(i.indexrelid), obj_description(i.indexrelid, 'pg_class'))
		FROM pg_index AS i WHERE i.indrelid IN (SELECT oid FROM class)
	UNION ALL SELECT 'trigger', t.tgrelid::regclass::text, t.tgname, concat_ws(' ', pg_get_triggerdef(t.oid), t.tgenabled, obj_description(t.oid, 'pg_trigger'))
		FROM pg_trigger AS t WHERE t.tgrelid IN (SELECT oid FROM class) AND NOT t.tgisinternal
	UNION ALL SELECT 'event trigger', e.evtname, '', concat_ws(' ', e.evtevent, e.evtfoid::regprocedure, e.evtenabled, array_to_string(e.evttags, ','))
		FROM pg_event_trigger AS e WHERE e.oid IN (SELECT objid FROM member WHERE classid = 'pg_event_trigger'::regclass)
	UNION ALL SELECT 'function', p.oid::regprocedure::text, '', concat_ws(' ', CASE WHEN p.prokind <> 'a' THEN pg_get_functiondef(p.oid) END, 'acl', pg_temp.acl(p.proacl))
		FROM pg_proc AS p WHERE p.oid IN (SELECT objid FROM member WHERE classid = 'pg_proc'::regclass)
	UNION ALL SELECT 'aggregate', a.aggfnoid::regprocedure::text, '', to_jsonb(a)::text
		FROM (SELECT aggfnoid::oid, aggtransfn::text, aggfinalfn::text, aggcombinefn::text, aggserialfn::text, aggdeserialfn::text, aggtranstype::regtype::text, agginitval FROM pg_aggregate) AS a
		WHERE a.aggfnoid IN (SELECT objid FROM member WHERE classid = 'pg_proc'::regclass)
	UNION ALL SELECT 'type', t.oid::regtype::text, '', concat_ws(' ', t.typlen, t.typbyval, t.typtype, t.typalign, t.typstorage, t.typcategory, t.typinput, t.typoutput,
			t.typreceive, t.typsend, 'acl', pg_temp.acl(t.typacl))
		FROM pg_type AS t WHERE t.oid IN (SELECT objid FROM member WHERE classid = 'pg_type'::regclass)
	UNION ALL SELECT 'cast', c.castsource::regtype || ' as ' || c.casttarget::regtype, '', concat_ws(' ', c.castfunc::regprocedure, c.castcontext, c.castmethod)
		FROM pg_cast AS c WHERE c.oid IN (SELECT objid FROM member WHERE classid = 'pg_cast'::regclass)
	UNION ALL SELECT 'operator', o.oid::regoperator::text, '', concat_ws(' ', o.oprcode, o.oprcom::regoperator, o.oprnegate::regoperator, o.oprrest, o.oprjoin, o.oprcanmerge, o.oprcanhash)
		FROM pg_operator AS o WHERE o.oid IN (SELECT objid FROM member WHERE classid = 'pg_operator'::regclass)
	UNION ALL SELECT 'operator class', o.opcname, '', concat_ws(' ', o.opcmethod, o.opcintype::regtype, o.opcdefault, o.opckeytype::regtype)
		FROM pg_opclass AS o WHERE o.oid IN (SELECT objid FROM member WHERE classid = 'pg_opclass'::regclass)
	UNION ALL SELECT 'operator of family', f.opfname, o.amopstrategy::text, concat_ws(' ', o.amopopr::regoperator, o.amoppurpose)
		FROM pg_amop AS o JOIN pg_opfamily AS f ON f.oid = o.amopfamily WHERE f.oid IN (SELECT objid FROM member WHERE classid = 'pg_opfamily'::regclass)
	UNION ALL SELECT 'function of family', f.opfname, p.amprocnum::text, p.amproc::text
		FROM pg_amproc AS p JOIN pg_opfamily AS f ON f.oid = p.amprocfamily WHERE f.oid IN (SELECT objid FROM member WHERE classid = 'pg_opfamily'::regclass)
	UNION ALL SELECT 'schema', 'bigbrotr', '', pg_temp.acl(n.nspacl) FROM pg_namespace AS n WHERE n.nspname = 'bigbrotr'
	UNION ALL SELECT 'dumped', t.oid::regclass::text, '', t.condition FROM pg_extension AS e, unnest(e.extconfig, e.extcondition) AS t (oid, condition) WHERE e.extname = 'bigbrotr'
) AS x (kind, name, part, value) ORDER BY kind COLLATE "C", name COLLATE "C", part COLLATE "C", value COLLATE "C";
