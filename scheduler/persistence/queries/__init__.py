"""Every select(), as functions named after what comes back."""
