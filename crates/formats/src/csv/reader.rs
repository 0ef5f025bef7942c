//! Blocks of CSV to lines. Header and options are looked at once; then any number of threads may convert blocks.

use std::ops::ControlFlow;

use memchr::memchr_iter;

use crate::blocks::Block;
use crate::converted::{Converted, PORTION_BYTES};
use crate::error::Error;
use crate::framing::{CsvFraming, Framing};
use crate::table::{Assembler, Outcome, Plan};

use super::options::CsvOptions;
use super::record::{Cells, Records};
use super::{described, header};

/// Bytes of the start of a file that are enough to judge its columns.
pub const SAMPLE_BYTES: usize = 1 << 20;

/// Converts the blocks of one CSV file, or of several with the same header.
#[derive(Debug, Clone)]
pub struct CsvReader {
    framing: CsvFraming,
    /// Where the first record of values begins.
    data_start: u64,
    names: Vec<String>,
    plan: Plan,
}

impl CsvReader {
    /// A reader for the file that begins with `head`: [`SAMPLE_BYTES`] of it, or all.
    ///
    /// # Errors
    /// [`Error::Columns`] when header and options do not fit each other, or do not say enough.
    pub fn new(options: &CsvOptions, head: &[u8]) -> Result<Self, Error> {
        if let Some(found) = described::read(head)? {
            let (framing, data_start) = (found.framing, found.data_start);
            return Ok(Self { framing, data_start, names: found.names, plan: found.plan });
        }
        let header = header::read(options, head)?;
        let plan = Plan::new(&options.mapping, &header.sample)?;
        let names = header.sample.columns.into_iter().map(|column| column.name).collect();
        Ok(Self { framing: header.framing, data_start: header.data_start, names, plan })
    }

    /// How the file is to be cut into blocks.
    pub fn framing(&self) -> Framing {
        Framing::Csv(self.framing.clone())
    }

    /// What was decided: one line for each column that is used, for people.
    pub fn describe(&self) -> Vec<String> {
        self.plan.describe(&self.names)
    }

    /// Converts the records of a block and hands them out in portions, until `visit` ends it: a record of many columns may become many times as long
    /// as it is. Their lines and rejects are counted as if there were one portion.
    pub fn convert(&self, block: &Block, visit: &mut dyn FnMut(&Converted) -> ControlFlow<()>) -> ControlFlow<()> {
        let header = usize::try_from(self.data_start.saturating_sub(block.offset)).unwrap_or(usize::MAX);
        let (before, text) = block.bytes.split_at_checked(header).unwrap_or((&block.bytes, &[]));
        let header_lines = memchr_iter(b'\n', before).count() as u64;
        let mut out = Converted::default();
        out.lines.text.reserve((text.len() * 2).min(PORTION_BYTES + PORTION_BYTES / 8));
        let mut assembler = Assembler::new(&self.plan, &self.names);
        let mut cells = Cells::default();
        for record in Records::new(text, &self.framing) {
            out.records += 1;
            let line = header_lines + record.line;
            // A block has far fewer than 2^32 lines.
            let added =
                self.split(record.text, &mut cells).and_then(|()| assembler.add(&cells, line as u32, &mut out.lines));
            match added {
                Ok(Outcome::Lines) => {}
                Ok(Outcome::Empty) => out.empty += 1,
                Err(reason) => out.reject(block.first_line + line, record.text, reason),
            }
            out.hand_out_if_large(visit)?;
        }
        visit(&out)
    }

    #[inline]
    fn split(&self, record: &[u8], cells: &mut Cells) -> Result<(), String> {
        cells
            .split(record, &self.framing)
            .map_err(|_| "a quote is not closed before the end of the file".to_owned())?;
        let (found, expected) = (cells.len(), self.names.len());
        // Delimiters at the end of a line make empty cells.
        if found == expected || found > expected && cells.are_empty_from(expected) {
            return Ok(());
        }
        Err(format!("the record has {found} cells, but there are {expected} columns"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blocks::Blocks;
    use crate::table::{Layout, Mapping, Measurement, TimeOptions};

    fn mapping() -> Mapping {
        Mapping { measurement: Some(Measurement::Named("m".to_owned())), ..Mapping::default() }
    }

    fn options(mapping: Mapping) -> CsvOptions {
        CsvOptions { mapping, ..CsvOptions::default() }
    }

    /// Lines and rejects of a file, read in blocks of `size` bytes.
    fn convert(options: &CsvOptions, text: &str, size: usize) -> (String, Vec<(u64, String)>) {
        let reader = CsvReader::new(options, text.as_bytes()).unwrap();
        let (mut lines, mut rejects) = (String::new(), Vec::new());
        for block in Blocks::new(text.as_bytes(), reader.framing()).with_sizes(size, 1 << 20) {
            let all = reader.convert(&block.unwrap(), &mut |out| {
                lines.push_str(std::str::from_utf8(&out.lines.text).unwrap());
                rejects.extend(out.rejects.iter().map(|r| (r.line, r.reason.clone())));
                ControlFlow::Continue(())
            });
            assert!(all.is_continue());
        }
        (lines, rejects)
    }

    #[test]
    fn a_wide_file_becomes_fields_or_series() {
        let text = "time,a,b\n1970-01-01T00:00:01Z,1,2.5\n1970-01-01T00:00:02Z,NA,3\n1970-01-01T00:00:03Z,,\n";
        let (lines, rejects) = convert(&options(mapping()), text, 1 << 20);
        assert_eq!(lines, "m a=1,b=2.5 1000000000\nm b=3 2000000000\n");
        assert!(rejects.is_empty());
        let tag = options(Mapping { layout: Layout::Tag("point".to_owned()), ..mapping() });
        let expected = "m,point=a value=1 1000000000\nm,point=b value=2.5 1000000000\nm,point=b value=3 2000000000\n";
        assert_eq!(convert(&tag, text, 1 << 20).0, expected);
    }

    #[test]
    fn a_series_tag_finds_its_place_among_others() {
        let text = "time,b,x,z\n1970-01-01,1,p,q\n";
        let said = Mapping {
            layout: Layout::Tag("m".to_owned()),
            tags: Some(vec!["z".to_owned(), "b".to_owned()]),
            fields: Some(vec!["x:string".parse().unwrap()]),
            ..mapping()
        };
        assert_eq!(convert(&options(said), text, 99).0, "m,b=1,m=x,z=q value=\"p\" 0\n");
    }

    #[test]
    fn a_long_file_becomes_tags_or_field_keys() {
        let text = "ts;name;v\n01.01.1970 00:00;p q;1,5\n01.01.1970 00:01;r;2\n";
        let german = Mapping { decimal: ',', ..mapping() };
        assert_eq!(convert(&options(german.clone()), text, 64).0, "m,name=p\\ q v=1.5 0\nm,name=r v=2 60000000000\n");
        let long = Mapping { layout: "long:name,v".parse().unwrap(), ..german };
        assert_eq!(convert(&options(long), text, 64).0, "m p\\ q=1.5 0\nm r=2 60000000000\n");
    }

    #[test]
    fn the_household_form_needs_no_word() {
        let text =
            "Date;Time;Global_active_power;Voltage\n16/12/2006;17:24:00;4.216;234.840\n16/12/2006;17:25:00;?;?\n";
        let (lines, rejects) = convert(&options(mapping()), text, 1 << 20);
        assert_eq!(lines, "m Global_active_power=4.216,Voltage=234.840 1166289840000000000\n");
        assert!(rejects.is_empty());
    }

    #[test]
    fn rejects_have_the_right_line_whatever_the_blocks() {
        let text = "# c\ntime,s,v\n1970-01-01,\"a\nb\",1\n1970-01-01,x,y\n1970-01-01,x\n\nnever,x,1\n1970-01-01,\"c\n\",2,,\n1970-01-01,x,1,2\n";
        let mapping = Mapping { fields: Some(vec!["v".parse().unwrap()]), ..mapping() };
        let time = TimeOptions {
            columns: vec!["time".to_owned()],
            format: "rfc3339".parse().unwrap(),
            ..TimeOptions::default()
        };
        let fields = Some(vec!["v:float".parse().unwrap()]);
        let options = CsvOptions { comment: Some("#".to_owned()), ..options(Mapping { time, fields, ..mapping }) };
        for size in 1..80 {
            let (lines, rejects) = convert(&options, text, size);
            assert_eq!(lines, "m,s=a\\nb v=1 0\nm,s=c\\n v=2 0\n");
            let expected = [
                (5, "column `v`: `y` is not a finite number"),
                (6, "the record has 2 cells, but there are 3 columns"),
                (8, "`never` is no time of the format rfc3339"),
                (11, "the record has 4 cells, but there are 3 columns"),
            ];
            assert_eq!(rejects, expected.map(|(line, why)| (line, why.to_owned())));
        }
    }

    #[test]
    fn a_measurement_can_come_from_a_column() {
        let text = "kind,t,v\na b,1970-01-01,1\n,1970-01-01,1\n";
        let mapping = Mapping { measurement: Some(Measurement::Column("kind".to_owned())), ..Mapping::default() };
        let (lines, rejects) = convert(&options(mapping), text, 99);
        assert_eq!(lines, "a\\ b v=1 0\n");
        assert_eq!(rejects, [(3, "column `kind`: the measurement is missing".to_owned())]);
    }

    #[test]
    fn text_that_is_no_utf8_is_rejected() {
        let text = b"t,s,v\n1970-01-01,\xc0,1\n1970-01-01,a,1\n";
        let reader = CsvReader::new(&options(mapping()), text).unwrap();
        let block = Block { bytes: text.to_vec(), offset: 0, first_line: 1 };
        let out = reader.convert(&block, &mut |out| {
            assert!(out.rejects[0].reason.starts_with("column `s`: a text is not UTF-8"));
            assert_eq!(out.lines.text, b"m,s=a v=1 0\n");
            ControlFlow::Break(())
        });
        assert!(out.is_break());
    }

    #[test]
    fn a_wide_table_is_handed_out_in_portions_and_no_more_once_the_visit_ends() {
        let names: String = (0..200).map(|n| format!(",a_long_name_of_a_column_{n}")).collect();
        let rows: String = (0..500).map(|n| format!("{n}{}\n", ",1".repeat(200))).collect();
        let time = TimeOptions { format: "s".parse().unwrap(), ..TimeOptions::default() };
        let tag = options(Mapping { layout: Layout::Tag("point".to_owned()), time, ..mapping() });
        let text = format!("time{names}\n{rows}");
        let reader = CsvReader::new(&tag, text.as_bytes()).unwrap();
        let block = Block { bytes: text.into_bytes(), offset: 0, first_line: 1 };
        let mut portions = Vec::new();
        let ended = reader.convert(&block, &mut |out| {
            portions.push(out.clone());
            if portions.len() < 5 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        assert!(ended.is_break() && portions.len() == 5);
        let mut origins = portions.iter().flat_map(|out| out.lines.origins.iter().copied());
        assert!((1..).flat_map(|row| [row; 200]).zip(&mut origins).all(|(row, origin)| row == origin));
        let row = 200 * "m,point=a_long_name_of_a_column_100 value=1 499000000000\n".len();
        assert!(portions.iter().all(|out| out.lines.text.len() < PORTION_BYTES + row && !out.lines.is_empty()));
    }

    #[test]
    fn a_file_can_describe_itself() {
        let text = "#hissrv csv 1\n#measurement,\"c\npu\"\n#types,time:ns,tag,integer,string\ntime,h,n,s\n-5,a,7,\"\"\n6,,,\"NA\"\n7,,,\n";
        let (lines, rejects) = convert(&CsvOptions::default(), text, 8);
        assert_eq!(lines, "c\\npu,h=a n=7i,s=\"\" -5\nc\\npu s=\"NA\" 6\n");
        assert!(rejects.is_empty());
        assert!(CsvReader::new(&CsvOptions::default(), b"#hissrv csv 1\na,b\n1,2\n").is_err());
    }

    #[test]
    fn a_quote_that_is_not_closed_is_rejected_at_the_end() {
        let (lines, rejects) = convert(&options(mapping()), "t,v\n1970-01-01,1\n1970-01-01,\"2\n", 1 << 20);
        assert_eq!(lines, "m v=1 0\n");
        assert_eq!(rejects, [(3, "a quote is not closed before the end of the file".to_owned())]);
    }
}
