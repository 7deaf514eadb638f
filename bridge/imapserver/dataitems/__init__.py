"""What FETCH answers: message data items (RFC 3501 §6.4.5), from the store's rows to the wire."""
