"""The PostgreSQL of the store's tests serves the jobs' tests, too."""

from tests.store.conftest import pg_server as pg_server
from tests.store.conftest import pg_store as pg_store
from tests.store.conftest import pg_url as pg_url
