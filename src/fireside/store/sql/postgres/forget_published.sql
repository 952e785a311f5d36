-- Forget what no worker publishes any more; snapshots stay, because attempts at jobs name them.
DELETE FROM published WHERE
    topic = 'definitions' AND hash NOT IN (SELECT definitions_hash FROM worker)
    OR topic = 'models' AND hash NOT IN (SELECT models_hash FROM worker)
    OR topic = 'validators' AND hash NOT IN (SELECT validators_hash FROM worker)
    OR topic = 'subgraphs' AND hash NOT IN (SELECT subgraphs_hash FROM worker)
    OR topic = 'editor' AND hash NOT IN (SELECT editor_hash FROM worker);
