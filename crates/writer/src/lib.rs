//! Takes what the journal holds to a store in another process: batches whose size and number adapt to the store, retries, two
//! lanes after an outage, dead letters, and an account of every value.

pub mod dead_letters;
