//! How fast a core reads: `cargo run --release -p formats --example speed`. Text is made in memory; nothing is written.
#![expect(clippy::print_stdout, clippy::expect_used, reason = "a tool")]

use std::fmt::Write;
use std::ops::ControlFlow;
use std::time::Instant;

use formats::{
    Block, Blocks, Converted, CsvOptions, CsvReader, Framing, Layout, LineOptions, LineReader, Mapping, Measurement,
    SAMPLE_BYTES, TimeOptions,
};

/// Bytes of each text, about.
const SIZE: usize = 200 << 20;

fn main() {
    let lines = repeat(|text, at| {
        writeln!(
            text,
            "ems,channel={},point={},type=m value={}.{at} {}",
            at % 50,
            at % 1000,
            at % 400,
            1_700_000_000_000_000_000u64 + at
        )
        .expect("text");
    });
    lines_of("line protocol", &lines);
    let logs = repeat(|text, at| {
        writeln!(
            text,
            "logs,host=h{} level=\"INFO\",text=\"something \\\"{at}\\\" happened\" {}",
            at % 50,
            1_700_000_000_000_000_000u64 + at
        )
        .expect("text");
    });
    lines_of("line protocol with texts", &logs);
    let household = repeat(|text, at| {
        if at == 0 {
            text.push_str("Date;Time;A;B;V;I;S1;S2;S3\n");
        }
        let (hour, minute) = (at / 60 % 24, at % 60);
        writeln!(
            text,
            "16/12/2006;{hour:02}:{minute:02}:00;4.216;0.418;{}.840;18.400;0.000;1.000;17.000",
            200 + at % 40
        )
        .expect("text");
    });
    let mapping = Mapping { measurement: Some(Measurement::Named("house".to_owned())), ..Mapping::default() };
    csv("CSV, date and time, 7 fields", &household, mapping.clone());
    let wide = repeat(|text, at| {
        if at == 0 {
            text.push_str("time");
            (0..40).for_each(|column| write!(text, ",c{column}").expect("text"));
            text.push('\n');
        }
        write!(text, "2024-01-{:02}T{:02}:{:02}:00Z", 1 + at / 1440 % 28, at / 60 % 24, at % 60).expect("text");
        (0..40).for_each(|column| write!(text, ",{}.{:03}", (at + column) % 1000, column * 7).expect("text"));
        text.push('\n');
    });
    csv("CSV, RFC 3339, 40 fields", &wide, mapping.clone());
    let berlin = TimeOptions {
        format: "%Y-%m-%dT%H:%M:%SZ".parse().expect("format"),
        zone: "Europe/Berlin".to_owned(),
        ..TimeOptions::default()
    };
    csv("CSV, local times, 40 fields", &wide, Mapping { time: berlin, ..mapping.clone() });
    csv("CSV, RFC 3339, 40 series", &wide, Mapping { layout: Layout::Tag("point".to_owned()), ..mapping });
}

fn repeat(line: impl Fn(&mut String, u64)) -> String {
    let mut text = String::with_capacity(SIZE + (1 << 16));
    let mut at = 0;
    while text.len() < SIZE {
        line(&mut text, at);
        at += 1;
    }
    text
}

fn lines_of(name: &str, text: &str) {
    let blocks = cut(name, text, Framing::Lines);
    let reader = LineReader::new(LineOptions::default());
    convert(name, &blocks, |block, visit| visit(&reader.convert(block)));
}

fn csv(name: &str, text: &str, mapping: Mapping) {
    let options = CsvOptions { mapping, ..CsvOptions::default() };
    let head = text.as_bytes().get(..SAMPLE_BYTES).expect("a long text");
    let reader = CsvReader::new(&options, head).expect("a header");
    let blocks = cut(name, text, reader.framing());
    convert(name, &blocks, |block, visit| reader.convert(block, visit));
}

fn cut(name: &str, text: &str, framing: Framing) -> Vec<Block> {
    let start = Instant::now();
    let blocks = Blocks::new(text.as_bytes(), framing).collect::<Result<_, _>>().expect("blocks");
    report(&format!("cut {name}"), text.len(), 0, start);
    blocks
}

type Visit<'v> = &'v mut dyn FnMut(&Converted) -> ControlFlow<()>;

fn convert(name: &str, blocks: &[Block], convert: impl Fn(&Block, Visit<'_>) -> ControlFlow<()>) {
    let start = Instant::now();
    let mut lines = 0;
    for block in blocks {
        let all = convert(block, &mut |out| {
            assert!(out.rejects.is_empty(), "{:?}", out.rejects.first());
            lines += out.lines.len();
            ControlFlow::Continue(())
        });
        assert!(all.is_continue());
    }
    report(&format!("convert {name}"), blocks.iter().map(|b| b.bytes.len()).sum(), lines, start);
}

fn report(name: &str, bytes: usize, lines: usize, start: Instant) {
    let seconds = start.elapsed().as_secs_f64();
    let (rate, points) = (bytes as f64 / seconds / 1e6, lines as f64 / seconds / 1e6);
    println!("{name:45} {rate:8.0} MB/s {points:8.2} M lines/s");
}
