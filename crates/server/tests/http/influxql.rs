//! `/query`: what is asked arrives, and answers look as InfluxDB's.

use server::Modifying;

use crate::client::start;

const TWO: &str = concat!(
    r#"{"results":[{"statement_id":0,"series":[{"name":"m","tags":{"channel":"a"},"columns":["time","value"],"values":["#,
    r#"["2024-03-10T00:00:00Z",0],["2024-03-10T00:01:00Z",1.5],["2024-03-10T00:02:00Z",3],["2024-03-10T00:03:00Z",4.5],"#,
    r#"["2024-03-10T00:04:00Z",6]]},{"name":"m","tags":{"channel":"b"},"columns":["time","value"],"values":["#,
    r#"["2024-03-10T00:00:00Z",0],["2024-03-10T00:01:00Z",1.5]]}]}]}"#,
    "\n"
);

#[test]
fn an_answer_is_json_with_the_headers_of_influxdb() {
    let running = start();
    let answer = running.get("/query?db=d&q=two");
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    assert_eq!(answer.text(), TWO);
    assert!(answer.header("x-influxdb-version").unwrap().starts_with("1."));
    assert_eq!(answer.header("request-id"), answer.header("x-request-id"));
}

#[test]
fn what_is_asked_arrives() {
    let running = start();
    assert_eq!(running.get("/query?db=d&rp=r&q=+nothing+&params=%7B%7D&u=x&p=y").status, 200);
    let request = running.fake.requests.lock().unwrap().pop().unwrap();
    assert_eq!((request.text.as_str(), request.database.as_deref()), ("nothing", Some("d")));
    assert_eq!((request.policy.as_deref(), request.parameters.as_deref()), (Some("r"), Some("{}")));
    assert_eq!(request.modifying, Modifying::Deprecated);
}
