//! Everything that brings values in from Redis, and a simulated plant. Messages, hashes, strings and lists are decoded to points
//! and pushed into a [`Sink`]. Sources recover by themselves from whatever happens to Redis, stay within their memory, and count
//! what they lose. Not here: filters, batching and durability, which begin behind the sink.

pub mod config;
pub mod decode;
pub mod redis;
pub mod simulator;
pub mod sink;

pub use config::RedisConfig;
pub use redis::{RedisSource, SourceOptions, SourceStatus, StartError, Stop, StopError};
pub use simulator::{Simulator, SimulatorConfig};
pub use sink::{Clock, PointRef, Sink, SinkError, SinkFactory};
