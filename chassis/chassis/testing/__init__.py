"""Real parts for tests, benches and `make up-cluster`: private PostgreSQL, RabbitMQ, Valkey on free ports."""
