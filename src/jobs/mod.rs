//! Everything with a due time or an effect outside: one file a kind of task.
