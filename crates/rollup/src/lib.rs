//! Rollups: mergeable partials of windows, kept beside the points they are made of, and computed anew exactly where these change.

pub mod ledger;
