"""The data sets that audits read: any that `workbench.datasets` reads, published layouts, and built-in ones."""
