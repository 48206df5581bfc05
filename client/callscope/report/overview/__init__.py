"""Many calls on one page for a browser: distributions, trends, outliers and a table that can be searched."""
