//! Windows that are several questions: those of the calendar, and those that end with the points.

use super::reference::{Pair, Points, SECOND, START, Value};
use super::requests::aggregate;

/// Fourteen months with a point every few days, and none in some.
fn seasons() -> Points {
    let mut points = Points::default();
    for (number, tags) in [&[("host", "a")][..], &[("host", "b"), ("room", "1")]].into_iter().enumerate() {
        for step in 0..140 {
            let month = step / 10;
            if month % 5 == 3 + number as i64 {
                continue;
            }
            let time = START + (step * 3 * 86_400 + number as i64) * SECOND;
            points.add("m", tags, "v", Value::Float((step * 7 % 11) as f64), time);
            if month % 3 == 0 {
                points.add("m", tags, "i", Value::Integer(step * 5 % 13), time);
            }
        }
    }
    points
}

#[test]
fn calendar_windows_are_asked_for_one_by_one() {
    let pair = Pair::new(&seasons());
    let mut requests = Vec::new();
    for range in [r#""start":"2024-03-12T10:00:00Z","end":"2025-05-05""#, r#""start":"2024-01-01""#] {
        for windows in [
            r#""interval":"1mo""#,
            r#""interval":"3mo","time_zone":"Europe/Berlin""#,
            r#""interval":"1y","time_zone":"Asia/Shanghai""#,
            r#""interval":"1w","time_zone":"Europe/Berlin""#,
            r#""interval":"20d","time_zone":"America/New_York""#,
        ] {
            for keys in [
                r#""fields":"v""#,
                r#""fields":"v","fill":"null""#,
                r#""fields":["v","i"],"group_by":[]"#,
                r#""fields":["v","i"],"fill":"null""#,
                r#""fields":["v","i"],"order":"desc","limit":3"#,
                r#""fields":"i","function":"first","group_by":["room","nosuch"]"#,
                r#""fields":"v","function":"percentile","arguments":[90],"filters":{"host":"b"}"#,
                r#""fields":"v","fill":"previous""#,
                r#""fields":"v","fill":3"#,
                r#""fields":"nosuch""#,
            ] {
                requests.push(format!(r#""aggregate_type":"time_window",{range},{windows},{keys}"#));
            }
        }
    }
    pair.compare_all(requests.iter().map(|keys| aggregate(keys)), Pair::collected);
    let asked = |keys: &str| {
        pair.server.asked.lock().unwrap().clear();
        pair.collected(&aggregate(&format!(r#""aggregate_type":"time_window","fields":"v",{keys}"#)).0);
        pair.server.asked.lock().unwrap().len()
    };
    assert_eq!(asked(r#""start":"2024-03-01","end":"2024-12-31","interval":"1mo""#), 10);
    assert_eq!(asked(r#""start":"2024-04-01","interval":"1mo""#), 15, "one for the newest point");
}

#[test]
fn windows_end_with_the_last_point_of_each_series() {
    let pair = Pair::new(&seasons());
    let mut requests = Vec::new();
    for windows in [
        r#""interval":"36h""#,
        r#""interval":"1d","time_zone":"Asia/Shanghai""#,
        r#""interval":"1d","time_zone":"Europe/Berlin""#,
    ] {
        for keys in [
            r#""fields":"v""#,
            r#""fields":"v","order":"desc""#,
            r#""fields":"v","order":"desc","limit":7"#,
            r#""fields":"i","group_by":[],"limit":9"#,
            r#""fields":"i","function":"last","filters":{"host":"a"}"#,
            r#""fields":["v","i"]"#,
            r#""fields":"nosuch""#,
        ] {
            requests
                .push(format!(r#""aggregate_type":"time_window","fill":"null","start":"2024-08-01",{windows},{keys}"#));
        }
    }
    pair.compare_all(requests.iter().map(|keys| aggregate(keys)), Pair::collected);
    pair.server.asked.lock().unwrap().clear();
    pair.collected(&aggregate(&requests[0]).0);
    assert_eq!(pair.server.asked.lock().unwrap().len(), 2, "one for the last point");
}
