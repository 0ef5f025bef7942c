//! The promises, by topic. Each takes a store and fails where the store breaks it.

pub(crate) mod bounds;
pub(crate) mod confusable;
pub(crate) mod endurance;
pub(crate) mod filters;
pub(crate) mod groups;
pub(crate) mod latest;
pub(crate) mod names;
pub(crate) mod rows;
pub(crate) mod times;
pub(crate) mod upkeep;
pub(crate) mod values;
pub(crate) mod windows;
pub(crate) mod writing;
