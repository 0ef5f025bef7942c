//! `hissrv demo`: a plant of 20 channels within seconds, with Redis and without.

use std::collections::BTreeSet;

use crate::support::{Folder, Redis, Series, Service, wait_for};

fn demo(folder: &Folder, redis: &Redis) -> Service {
    let data = folder.data();
    Service::run(
        folder,
        &["demo", "--redis", &redis.url(), "--listen", "127.0.0.1:0", "--data-dir", data.to_str().unwrap()],
    )
}

fn shows_twenty_channels(service: &Service) {
    let mut client = service.client();
    wait_for("values of 20 channels", || {
        let answer = client.get("/api/v1/latest?measurement=measurement&field=value&epoch=ms");
        if answer.status == 404 {
            return false;
        }
        let series = Series::read(&answer.ok());
        series.iter().filter_map(|s| s.tags.get("channel")).collect::<BTreeSet<_>>().len() == 20
    });
    wait_for("the usual measurements", || {
        let names = client.get("/api/v1/measurements").ok().json();
        let names: Vec<&str> = names["measurements"].as_array().unwrap().iter().filter_map(|n| n.as_str()).collect();
        names.contains(&"measurement") && names.contains(&"signal")
    });
}

#[test]
fn the_demo_shows_a_plant_through_redis() {
    let (folder, redis) = (Folder::new(), Redis::start());
    let service = demo(&folder, &redis);
    shows_twenty_channels(&service);
    let status = service.status();
    assert!(status["intake"]["redis"]["journaled"].as_u64() > Some(0), "{status}");
    assert_eq!(status["intake"]["simulator"]["received"], 0, "{status}");
    service.stop();
}

#[test]
fn the_demo_shows_a_plant_without_redis() {
    let (folder, redis) = (Folder::new(), Redis::absent());
    let service = demo(&folder, &redis);
    shows_twenty_channels(&service);
    let status = service.status();
    assert!(status["intake"]["simulator"]["journaled"].as_u64() > Some(0), "{status}");
    assert_eq!(status["sources"].as_array().map(Vec::len), Some(0), "{status}");
    service.stop();
}
