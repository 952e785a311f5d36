-- Say which publications, given as a JSON list of [topic, hash], are remembered.
SELECT published.topic, published.hash FROM json_each(:wanted) AS file CROSS JOIN published
    ON published.topic = json_extract(file.value, '$[0]') AND published.hash = json_extract(file.value, '$[1]');
