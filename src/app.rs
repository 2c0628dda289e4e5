//! Builds everything from the settings, starts it, stops it in order.
