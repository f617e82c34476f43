"""The admin port: health, metrics, configuration, savings, purging, and the console page."""
