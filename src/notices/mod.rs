//! Notices with a deadline: who has answered, who is late, who is excused.
