-- Workers publish the blueprints of their node packs, too.

ALTER TABLE published DROP CONSTRAINT published_topic_check;
ALTER TABLE published ADD CONSTRAINT published_topic_check
    CHECK (topic IN ('definitions', 'models', 'validators', 'snapshot', 'subgraphs'));

ALTER TABLE worker ADD COLUMN subgraphs_hash text COLLATE "C" NOT NULL DEFAULT '';
