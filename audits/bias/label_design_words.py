"""What a reader must know of the audit of label design: how its numbers are read, and what they do not show."""

HOW_TO_READ = """\
One rate, many wordings. The rate is the share of pictures whose likeliest label is one of the *target* labels (the
crime-related and non-human ones). The wording is varied on the same pictures: one label left out, one replaced by a
synonym, one added, and all of that in several templates.

- `rate.target` under each wording, with its interval. The range is what a choice of words can do.
- `variance_share.…`: the rates by group and wording are taken apart; the shares add up to 1.
  - `labels`, `templates`, `labels_and_templates`: what the words decide, for all groups alike.
  - `group`: what the group decides, under all wordings alike. Its null says what chance gives.
  - `group_and_wording`: groups that react differently to the words. If this is large, a comparison of groups under one
    wording does not hold under another.

If words decide most, a single rate says more about the label set than about the model. That is the paper's conclusion,
and the reason why every rate of this report names its label set."""

LIMITS = """\
- Shares depend on which wordings are in the protocol. Milder changes give the words a smaller share; leaving out the
  label that draws most pictures gives them a large one. The shares describe this list of wordings, not all wordings.
- Groups and wordings count equally, whatever their size, and count as they are: no statement about other groups.
- Small groups add noise, which looks like a decision of the group: compare with the null.
- Intervals draw pictures again (whole clusters), not wordings.
- A share of 0 for the group is no proof of equal treatment: under each wording groups may still differ; see
  `group_and_wording` and the audit of derogatory labels.
- Drawn people: skin tone is not race, and hair colour changes with it."""
