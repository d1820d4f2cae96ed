-- What cannot work is refused when it is set, with the reason and a hint.
LOAD 'bigbrotr';

-- the filter of the synchronizer
ALTER SYSTEM SET bigbrotr.synchronizer_filter = '';
ALTER SYSTEM SET bigbrotr.synchronizer_filter = '[]';
ALTER SYSTEM SET bigbrotr.synchronizer_filter = '{"kinds":[1,2}';
ALTER SYSTEM SET bigbrotr.synchronizer_filter = '{"kinds":[65536]}';
ALTER SYSTEM SET bigbrotr.synchronizer_filter = '{"kind":[1]}';
ALTER SYSTEM SET bigbrotr.synchronizer_filter = '{"authors":["npub1sn0wdenkukak0d9dfczzeacvhkrgz92ak56egt7vdgzn8pv2wfqqhrjdv9"]}';
ALTER SYSTEM SET bigbrotr.synchronizer_filter = '{"#e":["abc"]}';
ALTER SYSTEM SET bigbrotr.synchronizer_filter = '{"kinds":[1],"kinds":[2]}';
ALTER SYSTEM SET bigbrotr.synchronizer_filter = '{"kinds":[1],"since":1700000000}';
ALTER SYSTEM SET bigbrotr.synchronizer_filter = '{"until":1700000000}';
ALTER SYSTEM SET bigbrotr.synchronizer_filter = '{"limit":10}';
ALTER SYSTEM SET bigbrotr.synchronizer_filter = '{"search":"cats"}';
ALTER SYSTEM SET bigbrotr.synchronizer_filter = '{"kinds":[]}';
SELECT '{"#t":["' || repeat('x', 65536) || '"]}' AS long \gset
\set VERBOSITY sqlstate
ALTER SYSTEM SET bigbrotr.synchronizer_filter = :'long';
\set VERBOSITY default
