-- Workers publish the translations and example workflows of their node packs, too.

ALTER TABLE published DROP CONSTRAINT published_topic_check;
ALTER TABLE published ADD CONSTRAINT published_topic_check
    CHECK (topic IN ('definitions', 'models', 'validators', 'snapshot', 'subgraphs', 'editor'));

ALTER TABLE worker ADD COLUMN editor_hash text COLLATE "C" NOT NULL DEFAULT '';
