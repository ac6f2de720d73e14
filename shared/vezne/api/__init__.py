"""HTTP: reading requests and writing responses. No other package knows HTTP of the API."""
