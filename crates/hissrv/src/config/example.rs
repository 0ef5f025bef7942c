//! Keeps the example configurations in `config/`, English and Chinese, equal to the defaults, and complete.

use std::path::Path;

use serde_json::Value;

use super::{Config, parse};

/// In English and in Chinese.
const EXAMPLES: [&str; 2] = [
    include_str!("../../../../config/hissrv.example.yaml"),
    include_str!("../../../../config/hissrv.example.zh-CN.yaml"),
];

fn read(text: &str) -> Config {
    let loaded = parse(text, Path::new("hissrv.example.yaml"), &|_| None).unwrap();
    assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
    loaded.config
}

fn json(config: &Config) -> Value {
    serde_json::to_value(config).unwrap()
}

/// Calls `visit` with the path of every key.
fn for_each_key(value: &Value, path: &str, visit: &mut impl FnMut(String)) {
    for (key, member) in value.as_object().into_iter().flatten() {
        let path = format!("{path}/{key}");
        for_each_key(member, &path, visit);
        visit(path);
    }
}

#[test]
fn the_examples_are_equal_to_the_defaults() {
    for example in EXAMPLES {
        assert_eq!(json(&read(example)), json(&Config::default()));
    }
}

#[test]
fn the_examples_have_every_key_there_is() {
    for example in EXAMPLES {
        let example: Value = serde_saphyr::from_str(example).unwrap();
        let mut keys = 0;
        for_each_key(&json(&Config::default()), "", &mut |path| {
            keys += 1;
            assert!(example.pointer(&path).is_some(), "{path} is missing in an example");
        });
        assert!(keys > 50, "{keys} keys");
    }
}

#[test]
fn the_samples_in_comments_of_the_examples_are_valid_and_say_something() {
    for example in EXAMPLES {
        for section in ["decoders:", "policies:", "tasks:", "influxdb:", "storage:", "rules:", "channels:", "silences:"]
        {
            // What a section names must be there.
            let text = match section {
                "storage:" => &with_sample(example, "influxdb:"),
                "rules:" => &with_sample(example, "channels:"),
                _ => example,
            };
            let text = with_sample(text, section);
            let loaded = parse(&text, Path::new("hissrv.example.yaml"), &|_| None).unwrap();
            assert_ne!(json(&loaded.config), json(&Config::default()), "there is no sample of {section}");
        }
    }
}

/// An example with the commented sample of `section` in place of its default.
fn with_sample(example: &str, section: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for line in example.lines() {
        let (indent, content) = line.split_at(line.len() - line.trim_start().len());
        let sample = content.strip_prefix("# ");
        inside = if inside { sample.is_some() } else { sample == Some(section) };
        let replaced = !inside && content.starts_with(section);
        match sample.filter(|_| inside) {
            Some(sample) => out += &format!("{indent}{sample}\n"),
            None if replaced => {}
            None => out += &format!("{line}\n"),
        }
    }
    out
}
