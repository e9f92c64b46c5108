"""What the shop answers, one module a topic; `app.py` says on which paths."""
