//! CREATE CONTINUOUS QUERY.

use super::{Parsed, Parser};
use crate::ast::{ContinuousQuery, Expr, Select, Statement};
use crate::duration::format_duration;
use crate::error::Reason;
use crate::token::Keyword as K;

impl Parser<'_> {
    /// The words CREATE CONTINUOUS were read.
    pub(super) fn create_continuous_query(&mut self) -> Parsed<Statement> {
        self.expect_words(&[K::Query])?;
        let name = self.ident()?;
        let database = self.database()?;
        let resample = if self.accept_word(K::Resample) { self.resample()? } else { Resample::default() };
        self.expect_words(&[K::Begin, K::Select])?;
        let select = self.select_into()?;
        let window = window(&select);
        if has_call(&select) {
            self.require_window(&window)?;
        }
        self.expect_words(&[K::End])?;
        resample.check(window.map_err(Reason::anywhere)?)?;
        let Resample { every, resample_for } = resample;
        Ok(Statement::CreateContinuousQuery(Box::new(ContinuousQuery { name, database, every, resample_for, select })))
    }

    /// `[EVERY d] [FOR d]`, at least one of them; 0 is as good as none.
    fn resample(&mut self) -> Parsed<Resample> {
        let every = if self.accept_word(K::Every) { self.finite_duration()? } else { 0 };
        let resample_for = if self.accept_word(K::For) { self.finite_duration()? } else { 0 };
        if every == 0 && resample_for == 0 {
            let token = self.tokens.next();
            return Err(self.unexpected(&token, &["EVERY", "FOR"]));
        }
        let given = |ns: i64| (ns != 0).then_some(ns);
        Ok(Resample { every: given(every), resample_for: given(resample_for) })
    }

    /// Points at the token before the blank before the one that was looked at last, as the real server does.
    fn require_window(&mut self, window: &Result<i64, Reason>) -> Parsed<()> {
        let mut expected = vec!["GROUP BY time(...)".to_owned()];
        match window {
            Ok(ns) if *ns != 0 => return Ok(()),
            Ok(_) => {}
            Err(reason) => expected.push(reason.to_string()),
        }
        self.tokens.back();
        self.tokens.back();
        let token = self.tokens.next();
        Err(self.unexpected(&token, &expected.iter().map(String::as_str).collect::<Vec<_>>()))
    }
}

/// `RESAMPLE ...`
#[derive(Default)]
struct Resample {
    every: Option<i64>,
    resample_for: Option<i64>,
}

impl Resample {
    /// What is computed again must be at least one window, and at least the time from run to run.
    fn check(&self, window: i64) -> Parsed<()> {
        let Some(given) = self.resample_for else { return Ok(()) };
        let least = window.max(self.every.unwrap_or(0));
        if given >= least {
            return Ok(());
        }
        let (least, given) = (format_duration(least), format_duration(given));
        Err(Reason::ResampleTooShort { least, given }.anywhere())
    }
}

/// Length of the windows, 0 without `GROUP BY time`.
fn window(select: &Select) -> Result<i64, Reason> {
    let is_time = |expr: &&Expr| matches!(expr, Expr::Call { name, .. } if name == "time");
    let Some(Expr::Call { args, .. }) = select.dimensions.iter().find(is_time) else { return Ok(0) };
    match args.as_slice() {
        [] => Err(Reason::TimeArguments),
        [Expr::Duration(ns), ..] => Ok(*ns),
        _ => Err(Reason::TimeNoDuration),
    }
}

fn has_call(select: &Select) -> bool {
    select.fields.iter().any(|field| calls(&field.expr))
}

fn calls(expr: &Expr) -> bool {
    match expr {
        Expr::Call { .. } => true,
        Expr::Paren(inner) => calls(inner),
        Expr::Binary { left, right, .. } => calls(left) || calls(right),
        _ => false,
    }
}
