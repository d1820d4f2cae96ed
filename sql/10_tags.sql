-- The type tags.
SELECT '[["t","nostr"],["e","0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef","wss://r"]]'::bigbrotr.tags;
SELECT ' [ ["a" , "\u00e9\n\u0041"] , ["long name"] ] '::bigbrotr.tags;
SELECT '[]'::bigbrotr.tags, bigbrotr.tag_count('[]');
-- hex is packed
SELECT pg_column_size('[["e","0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"]]'::bigbrotr.tags) < 50 AS small;
-- not tags
SELECT '{}'::bigbrotr.tags;
SELECT '[["t",1]]'::bigbrotr.tags;
SELECT '[["t"]'::bigbrotr.tags;
SELECT ''::bigbrotr.tags;
-- equality
SET search_path = bigbrotr, public;
SELECT '[["t","a"]]'::tags = '[ [ "t", "\u0061" ] ]'::tags AS same, '[["t","a"]]'::tags <> '[["t","b"]]'::tags AS other;
RESET search_path;
-- jsonb, both ways
SELECT '[["t","é"],["x"]]'::bigbrotr.tags::jsonb;
SELECT '[["t", "\u00e9"], ["x"]]'::jsonb::bigbrotr.tags;
SELECT '{"a": 1}'::jsonb::bigbrotr.tags;
SELECT '[["t","\u0000"]]'::bigbrotr.tags;
SELECT '[["t","\u0000"]]'::bigbrotr.tags::jsonb;
-- accessors
SELECT bigbrotr.tag_count(t), bigbrotr.tag_values(t, 't'), bigbrotr.tag_first(t, 't'), bigbrotr.tag_values(t, 'alt'),
	bigbrotr.tag_values(t, 'none'), bigbrotr.tag_first(t, 'none') IS NULL AS no_first,
	bigbrotr.tag_first(t, 'p'), bigbrotr.tag_values(t, 'z')
FROM (SELECT '[["t"],["t","one"],["t","two","x"],["alt","text"],["p","00ff00ff00ff00ff00ff00ff00ff00ff"],["z","\u0000"]]'::bigbrotr.tags) AS v (t);
-- send and recv
SELECT bigbrotr.tags_send('[["t","nostr"]]');
