"""Routes of the APIs that have a module of their own; `functions/cases_api.py` and its like include them."""
