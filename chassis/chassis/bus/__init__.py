"""The bus: an outbox table, and two ways from it to the subscribers (in process, or RabbitMQ)."""
