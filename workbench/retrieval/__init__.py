"""Find images and moments of videos by sentence or by example.

index       where indexes lie, which models' vectors they hold
rows        the columns of a table in LanceDB
table       compaction and the vector index
sources     what can be added: files, folders, archives, tables, videos
adding      only what is new is embedded, and nothing twice
query       `2:golden retriever + ./pool.jpg - fruit`
search      the best rows
chance      how unlikely a score is: where a list should end
rivals      names of near kinds that a query must win against
check       recall against the exact answer
decoding    frames of a video at their own times
moments     when a video shows what a sentence says
pooling     one score for a whole video
collection  images and whole videos of an index
videos      one sentence over the frames of many videos
captions    evaluation with a table of captions
ordering    by name, date, size …; safety: what safe mode hides; contact_sheet: results on one image
hubs        images that answer to everything, ranked down
projection  the map, and the modality gap
evaluation  R@k, ranks, overlap and average precision of moments
"""
