//! From the edge to the centre: one hissrv feeds another.

use std::net::TcpListener;
use std::sync::Arc;

use crate::support::{Folder, Numbers, Rng, Service, Writer, check_numbers, wait_for};

/// A centre on a port of its own, the same after a restart.
struct Centre {
    folder: Folder,
    port: u16,
}

impl Centre {
    fn new() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self { folder: Folder::new(), port }
    }

    fn start(&self) -> Service {
        let data = self.folder.data();
        let text = format!(
            "data_dir: {}\nserver: {{listen: \"127.0.0.1:{}\"}}\nredis: {{enabled: false}}\n",
            data.display(),
            self.port
        );
        Service::run(&self.folder, &["run", "--config", self.folder.write("centre.yaml", &text).to_str().unwrap()])
    }

    fn sections(&self) -> String {
        format!("storage: {{hissrv: {{url: \"http://127.0.0.1:{}\"}}}}\n", self.port)
    }
}

#[test]
fn what_an_edge_acknowledged_is_at_the_centre_in_the_end_whoever_dies() {
    let (mut rng, edge, centre) = (Rng::new("chain"), Folder::new(), Centre::new());
    let numbers = Arc::new(Numbers::default());
    let mut acknowledged = Vec::new();
    for round in 0..6 {
        let there = (round % 3 != 0).then(|| centre.start());
        let here = Service::start(&edge, &centre.sections());
        let writer = Writer::start(here.address(), &numbers, rng.fork());
        std::thread::sleep(std::time::Duration::from_millis(rng.within(300..1_000)));
        there.into_iter().for_each(Service::kill9);
        here.kill9();
        acknowledged.extend(writer.join());
    }
    let (there, here) = (centre.start(), Service::start(&edge, &centre.sections()));
    wait_for("the centre to have everything", || {
        let status = here.status();
        let consumers = status["journal"]["consumers"].as_array().unwrap();
        consumers.iter().any(|c| c["name"] == "hissrv" && c["lag_records"] == 0)
    });
    check_numbers(&mut there.client(), &acknowledged, &numbers);
    check_numbers(&mut here.client(), &acknowledged, &numbers);
    assert!(acknowledged.len() > 10, "{} batches were acknowledged: the rounds tried nothing", acknowledged.len());
    here.stop();
    there.stop();
}

#[test]
fn databases_and_policies_of_the_edge_are_made_at_the_centre() {
    let (edge, centre) = (Folder::new(), Centre::new());
    let (there, here) = (centre.start(), Service::start(&edge, &centre.sections()));
    here.client().post("/query?q=CREATE%20DATABASE%20plant%20WITH%20DURATION%2030d%20NAME%20%22month%22", "").ok();
    let now = super::outages::now_ms() * 1_000_000;
    here.client().post("/write?db=plant", format!("m,tag=ü\\ x v=1,text=\"two words\" {now}")).ok();
    wait_for("the point at the centre", || {
        let answer = there.client().get("/query?db=plant&epoch=ns&q=SELECT%20*%20FROM%20%22month%22.m").text();
        answer.contains(&format!("[{now},\"ü x\",\"two words\",1]"))
    });
    here.stop();
    there.stop();
}
