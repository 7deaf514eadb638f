"""Messages made here: rows of the API's inbox as mail (``compose``), and bounces (``dsn``)."""
