//! A message in, a committed decision out.
