"""Read images with their labels, captions and attributes: one reader for each kind of source.

    folders       class folders, and `.txt` captions beside the images
    csv_files     CSV and TSV tables that name image files
    parquet       Parquet files with paths or with the images' bytes
    zips          a zip, checked before anything of it is unpacked
    webdataset    uncompressed tars
    huggingface   whatever the package `datasets` reads
    sources       which of them a path needs
    uploads       files, or one zip, that a visitor uploads

Each returns a `Listing` of `ImageSample` rows. No image is decoded before `ImageSample.open`.
"""

from __future__ import annotations

from workbench.datasets.samples import ImageSample, Listing
from workbench.datasets.sources import KINDS, read_samples

__all__ = ["KINDS", "ImageSample", "Listing", "read_samples"]
