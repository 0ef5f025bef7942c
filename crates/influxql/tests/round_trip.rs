//! Any tree that a text can have, printed and parsed, is the same tree.

mod trees;

use influxql::{Limits, Params, parse};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn what_is_printed_parses_to_the_same_tree(statements in prop::collection::vec(trees::statement(), 1..3)) {
        let text = statements.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        let again = parse(&text, &Params::new(), &Limits::default());
        prop_assert_eq!(again.as_ref(), Ok(&statements), "{}", text);
    }

    #[test]
    fn any_text_is_parsed_or_refused(text in "\\PC*") {
        let parsed = parse(&text, &Params::new(), &Limits::default());
        prop_assert!(parsed.is_ok() || !parsed.unwrap_err().to_string().is_empty());
    }
}
