-- Lists of relays on the web.

CREATE TABLE bigbrotr.source (
	url text PRIMARY KEY CHECK (url ~ '^https?://' AND octet_length(url) <= 4096),
	path jsonpath NOT NULL DEFAULT '$[*]',
	enabled boolean NOT NULL DEFAULT true,
	every interval NOT NULL DEFAULT '1 day' CHECK (every >= '1 minute'),
	timeout_ms integer NOT NULL DEFAULT 30000 CHECK (timeout_ms >= 100 AND timeout_ms <= 600000),
	max_size integer NOT NULL DEFAULT 5242880 CHECK (max_size >= 1024 AND max_size <= 52428800),
	next_at timestamptz NOT NULL DEFAULT now(),
	last_at timestamptz,
	last_ok_at timestamptz,
	last_status integer,
	failures integer NOT NULL DEFAULT 0,
	failure text,
	reason text,
	found integer,
	invalid integer,
	candidates integer,
	etag text,
	last_modified text,
	known_path text
);
COMMENT ON TABLE bigbrotr.source IS
	'lists of relays on the web that the finder reads; bigbrotr-net fetches and parses them, addresses on them become candidates';
COMMENT ON COLUMN bigbrotr.source.url IS 'http or https; private addresses only if bigbrotr.allow_networks names them, also behind redirects';
COMMENT ON COLUMN bigbrotr.source.path IS 'SQL/JSON path to the addresses (strings) in the answer';
COMMENT ON COLUMN bigbrotr.source.enabled IS 'false: not read';
COMMENT ON COLUMN bigbrotr.source.every IS 'time between two reads; after a failure sooner: 5 minutes, doubling';
COMMENT ON COLUMN bigbrotr.source.timeout_ms IS 'longest time for one read in ms, with redirects';
COMMENT ON COLUMN bigbrotr.source.max_size IS 'bytes; a longer answer is not taken';
COMMENT ON COLUMN bigbrotr.source.next_at IS 'not read before this time; set it to now() to have it read again';
COMMENT ON COLUMN bigbrotr.source.last_at IS 'last read, good or bad';
COMMENT ON COLUMN bigbrotr.source.last_ok_at IS 'last good one';
COMMENT ON COLUMN bigbrotr.source.last_status IS 'HTTP status; 304: unchanged since';
COMMENT ON COLUMN bigbrotr.source.failures IS 'failures in a row';
COMMENT ON COLUMN bigbrotr.source.failure IS 'class of the last failure; NULL: the last read went well';
COMMENT ON COLUMN bigbrotr.source.reason IS 'the last failure in words';
COMMENT ON COLUMN bigbrotr.source.found IS 'addresses in the last list';
COMMENT ON COLUMN bigbrotr.source.invalid IS 'what else the path gave: no strings, or no addresses';
COMMENT ON COLUMN bigbrotr.source.candidates IS 'how many of them were new';
COMMENT ON COLUMN bigbrotr.source.etag IS 'of the last list, sent to ask for changes only';
COMMENT ON COLUMN bigbrotr.source.last_modified IS 'of the last list, too';
COMMENT ON COLUMN bigbrotr.source.known_path IS 'path for which they hold';

INSERT INTO bigbrotr.source (url) VALUES
	('https://api.nostr.watch/v1/online'),
	('https://api.nostr.watch/v1/offline');

-- CREATE EXTENSION makes these rows, a restore brings them again: the dump's win.
CREATE FUNCTION bigbrotr.source_restore() RETURNS trigger
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	DELETE FROM bigbrotr.source AS s WHERE s.url OPERATOR(pg_catalog.=) NEW.url
		AND s.last_at IS NULL AND s.url OPERATOR(pg_catalog.~~) 'https://api.nostr.watch/%';
	RETURN NEW;
END
$$;
COMMENT ON FUNCTION bigbrotr.source_restore() IS 'an inserted source replaces an unused one that CREATE EXTENSION made: pg_restore needs it';
CREATE TRIGGER source_restore BEFORE INSERT ON bigbrotr.source
	FOR EACH ROW EXECUTE FUNCTION bigbrotr.source_restore();
COMMENT ON TRIGGER source_restore ON bigbrotr.source IS 'lets pg_restore bring back the rows that CREATE EXTENSION made';

SELECT pg_catalog.pg_extension_config_dump('bigbrotr.source', '');
