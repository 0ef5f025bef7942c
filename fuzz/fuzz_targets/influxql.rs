//! Any text is parsed or refused without a panic, and what was parsed is printed as text that parses to the same tree.

#![no_main]

use influxql::ast::Statement;
use influxql::{Limits, Params, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (params, limits) = (Params::new(), Limits::default());
    let Ok(statements) = parse(text, &params, &limits) else { return };
    for statement in statements {
        // Passwords are not printed.
        if matches!(statement, Statement::CreateUser { .. } | Statement::SetPassword { .. }) {
            continue;
        }
        let printed = statement.to_string();
        let again = parse(&printed, &params, &limits).expect("what was printed can be read");
        assert_eq!(again, [statement], "{printed}");
    }
});
