"""Real parts for tests, benches and `make up-cluster`: private PostgreSQL, RabbitMQ and Valkey on free ports."""
