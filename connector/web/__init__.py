"""The HTTP front door: the API for orders, people and programs, webhooks, health, metrics. Needs the extra `web`."""
