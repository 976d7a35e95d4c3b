"""What a reader must know of the audit of retrieval: how its numbers are read, and what they do not show."""

HOW_TO_READ = """\
All pictures are ranked by a query that names no group. For the first k of the ranking:

- `max_skew@k`: how far the most favoured group is over its share, as a natural logarithm: ln(share among the first k /
  reference share). 0.69 means twice its share. 0 means that no group is over its share.
- `min_skew@k`: the same for the least favoured group, 0 or negative. A group that is absent counts as 1 / k.
- `ndkl@k`: how far the beginning of the ranking departs from the reference shares, over all its lengths up to k, the
  first ranks weighing most; 0 or more.
- `retrieved@k`: the share of a group's pictures that come among the first k.

Even a ranking by lot has a MaxSkew above 0, the more so with many groups and a small k. The null column holds the 95th
percentile of rankings by lot (for MinSkew the 5th), the curve shows it as a band. Only what leaves it is a finding.
Queries are grouped into *neutral* ones and *loaded* ones: compare the two groups before blaming the words."""

LIMITS = """\
- The reference is the make-up of this data set (or equal shares, if the protocol says so), not of any society.
- Skew says who comes first, not whether a picture fits the query. For loaded queries no picture fits.
- Values at different k, or with a different number of groups, are not comparable; each has a null of its own.
- Pictures that resemble each other move together: the intervals draw whole clusters, the null deals single pictures, so
  where clusters are large, a p-value near the threshold is too small.
- Reference code for these measures is known to differ: one popular implementation ranks un-normalised vectors and
  looks at the whole set instead of the first k. Published MaxSkew tables may therefore not be comparable.
- Drawn people: skin tone is not race, hair colour changes with it, and neutral figures look like men in part."""
