-- Say which publications, given as a JSON list of [topic, hash], are remembered.
SELECT published.topic, published.hash FROM json_array_elements(:wanted) AS wanted (name) JOIN published
    ON published.topic = wanted.name ->> 0 AND published.hash = wanted.name ->> 1;
