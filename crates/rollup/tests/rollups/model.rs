//! Whatever is written, deleted, and cut off: rows answer as points do.
