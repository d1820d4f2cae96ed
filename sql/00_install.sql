-- The extension installs.  What its objects are and who may use them:
-- test/pgtap.
SET client_min_messages = warning;
CREATE EXTENSION bigbrotr;
RESET client_min_messages;

SELECT service, state, paused, runs FROM bigbrotr.status ORDER BY service;
SELECT bigbrotr.pause('nobody');
SELECT * FROM bigbrotr.progress;
INSERT INTO bigbrotr.service (name, paused, runs) VALUES ('seeder', true, 7);
SELECT name, paused, runs FROM bigbrotr.service ORDER BY name;
UPDATE bigbrotr.service SET paused = false, runs = 0 WHERE name = 'seeder';
