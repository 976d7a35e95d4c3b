"""What the report says about typographic attacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass

HOW_TO_READ = """
Each picture is shown clean and with a word on it that names something else. The model names both, in two ways: among
all labels, and between the thing and the word alone.

- **Accuracy**: pictures named rightly, clean or written on.
- **Attack success**: of the pictures named rightly when clean, the share that is now named as the written word.
- **Changed**: of those, the share that is now named as anything else. It is never smaller than the attack's success.
- **Changed elsewhere**: of those, the share that went to a third label. The word covered the thing, or startled the
  model; it was not read as a name.

Two controls stand on the same place: a plate without letters (covering alone), and a word without meaning (letters
alone). **Reading** is the attack's success minus the share of the same pictures that are named as that word when the
word without meaning stands there instead. Only this difference speaks of reading; a high *changed* beside an equally
high control speaks of covering.

What is written is drawn by lot, and some words are easier to read than others. A picture bears several words, one at a
time, and counts with their average. Each difference from a control stands twice: with pictures drawn again (would other
pictures give this?) and with words drawn again (would other words?). Only where both intervals lie above zero does the
finding rest on neither the draw of pictures nor that of words.

Intervals count pictures of one thing or photo together where they share a cluster. Size is the height of the letters as
a share of the square that the model sees.
"""
LIMITS = """
- Pictures that were named wrongly when clean cannot be attacked and are left out of the success rate. A weak model is
  therefore judged on few pictures, its best ones, and a low rate of a model that cannot read is no defence.
- One font on a clean plate. Handwriting, perspective, paper and light are not measured; photographs that come with
  words (SCAM, RTA-100, PAINT, Disentangling) can be read from a folder.
- RTA-100 and PAINT have no clean pictures: there the success rate is not measured, and the share answered with the word
  holds pictures that were named so all along.
- With the labels at hand the model must choose: a word that is no label cannot win. Other labels give other rates.
- The built-in pictures are drawings and a few photos, chosen among things that the first `pocket` named. What is found
  here is found for pictures like these.
- The words are the names of the things at hand, all of them labels. Words that are no label, longer ones and other
  languages were not written.
- "No evidence of" is said of this many pictures. What could have been missed stands beside each count.
"""
