"""One call, live: a task, an inbox, a snapshot; effects in tasks that the call owns; a journal and a record."""
