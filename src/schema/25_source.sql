-- Lists of relays on the web.

CREATE TABLE bigbrotr.source (
	url text PRIMARY KEY CHECK (url ~ '^https?://' AND octet_length(url) <= 4096),
	path jsonpath NOT NULL DEFAULT '$[*]',
	enabled boolean NOT NULL DEFAULT true,
	every interval NOT NULL DEFAULT '1 day' CHECK (every >= '1 minute' AND every <= '10 years'),
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
	'lists of relays on the web; the finder reads them through bigbrotr-net and makes the addresses on them candidates';
COMMENT ON COLUMN bigbrotr.source.url IS
	'http or https URL; private addresses only if bigbrotr.allow_networks names them, also behind redirects';
COMMENT ON COLUMN bigbrotr.source.path IS 'SQL/JSON path to the addresses (strings) in the response';
COMMENT ON COLUMN bigbrotr.source.enabled IS 'if false, not read';
COMMENT ON COLUMN bigbrotr.source.every IS 'time between two reads; after a failure 5 minutes, doubling up to this';
COMMENT ON COLUMN bigbrotr.source.timeout_ms IS 'longest time for one read including redirects, in milliseconds';
COMMENT ON COLUMN bigbrotr.source.max_size IS 'largest response that is taken, in bytes';
COMMENT ON COLUMN bigbrotr.source.next_at IS 'not read before this time; set it to now() to have the list read again';
COMMENT ON COLUMN bigbrotr.source.last_at IS 'time of the last read, successful or not';
COMMENT ON COLUMN bigbrotr.source.last_ok_at IS 'time of the last successful read';
COMMENT ON COLUMN bigbrotr.source.last_status IS 'HTTP status of the last read; 304 means unchanged';
COMMENT ON COLUMN bigbrotr.source.failures IS 'consecutive failures';
COMMENT ON COLUMN bigbrotr.source.failure IS 'class of the last failure; NULL if the last read succeeded';
COMMENT ON COLUMN bigbrotr.source.reason IS 'message of the last failure';
COMMENT ON COLUMN bigbrotr.source.found IS 'number of addresses in the last list';
COMMENT ON COLUMN bigbrotr.source.invalid IS
	'number of other items that the path selected: not strings, or not addresses of relays';
COMMENT ON COLUMN bigbrotr.source.candidates IS 'number of addresses that were new';
COMMENT ON COLUMN bigbrotr.source.etag IS 'ETag of the last list, to ask for changes only';
COMMENT ON COLUMN bigbrotr.source.last_modified IS 'Last-Modified of the last list, to ask for changes only';
COMMENT ON COLUMN bigbrotr.source.known_path IS 'path that was applied to the list with this ETag';

INSERT INTO bigbrotr.source (url) VALUES
	('https://api.nostr.watch/v1/online'),
	('https://api.nostr.watch/v1/offline');

-- CREATE EXTENSION makes these rows, and a restore loads them again: those of the dump win.
CREATE FUNCTION bigbrotr.source_restore() RETURNS trigger
	LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	DELETE FROM bigbrotr.source AS s WHERE s.url OPERATOR(pg_catalog.=) NEW.url
		AND s.last_at IS NULL AND s.url OPERATOR(pg_catalog.~~) 'https://api.nostr.watch/%';
	RETURN NEW;
END
$$;
COMMENT ON FUNCTION bigbrotr.source_restore() IS
	'trigger function: lets an inserted source replace an unused one that CREATE EXTENSION made, for pg_restore';
CREATE TRIGGER source_restore BEFORE INSERT ON bigbrotr.source
	FOR EACH ROW EXECUTE FUNCTION bigbrotr.source_restore();
COMMENT ON TRIGGER source_restore ON bigbrotr.source IS
	'lets pg_restore load rows that CREATE EXTENSION has already made';

SELECT pg_catalog.pg_extension_config_dump('bigbrotr.source', '');
