//! `${NAME}` and `${NAME:-default}` in a configuration file are replaced by environment variables before it is read as YAML,
//! also inside quotes; `$$` stands for one dollar sign. A value is escaped as the place where it stands demands.

use std::path::Path;

use super::ConfigError;

/// Keys whose variable may be missing: an InfluxDB 1.x server needs no token.
const OPTIONAL: [&str; 1] = ["token"];

/// The text with references replaced, and warnings about variables that were missing and may be.
pub(super) fn interpolate(
    text: &str,
    path: &Path,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<(String, Vec<String>), ConfigError> {
    let mut out = String::with_capacity(text.len());
    let mut warnings = Vec::new();
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let place = Place { path, line: index + 1, key: key_of(line), variable };
        place.replace(line, &mut out, &mut warnings)?;
    }
    Ok((out, warnings))
}

/// One line of the file.
struct Place<'a> {
    path: &'a Path,
    line: usize,
    key: &'a str,
    variable: &'a dyn Fn(&str) -> Option<String>,
}

/// The kind of text a reference stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quote {
    Plain,
    Single,
    Double,
}

impl Place<'_> {
    fn replace(&self, line: &str, out: &mut String, warnings: &mut Vec<String>) -> Result<(), ConfigError> {
        let mut quote = Quote::Plain;
        let mut rest = line;
        let mut before = ' ';
        while let Some(c) = rest.chars().next() {
            if quote == Quote::Plain && c == '#' && before.is_whitespace() {
                out.push_str(rest);
                return Ok(());
            }
            if let Some(after) = rest.strip_prefix("$$") {
                out.push('$');
                rest = after;
                continue;
            }
            if let Some(after) = rest.strip_prefix("${") {
                let (reference, after) = after.split_once('}').ok_or_else(|| self.wrong("`${` without `}`"))?;
                out.push_str(&self.escaped(&self.value(reference, warnings)?, quote)?);
                rest = after;
                before = '}';
                continue;
            }
            quote = next_quote(quote, c, before);
            out.push(c);
            before = if before == '\\' && c == '\\' { ' ' } else { c };
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
        }
        Ok(())
    }

    fn value(&self, reference: &str, warnings: &mut Vec<String>) -> Result<String, ConfigError> {
        let (name, default) = match reference.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (reference, None),
        };
        let well_formed = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty() || !name.chars().all(well_formed) || name.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(self.wrong(&format!("`{name}` is no name of an environment variable")));
        }
        let set = (self.variable)(name).filter(|v| !v.is_empty() || default.is_none());
        if let Some(value) = set.or(default.map(str::to_owned)) {
            return Ok(value);
        }
        if OPTIONAL.contains(&self.key) {
            let (path, line, key) = (self.path.display(), self.line, self.key);
            warnings.push(format!(
                "{path}:{line}: {name} is not set; `{key}` is left empty, which suits a server without tokens"
            ));
            return Ok(String::new());
        }
        let (path, line) = (self.path.to_owned(), self.line);
        Err(ConfigError::Variable { path, line, name: name.to_owned(), key: self.key.to_owned() })
    }

    fn escaped(&self, value: &str, quote: Quote) -> Result<String, ConfigError> {
        if value.contains(['\n', '\r']) {
            return Err(self.wrong("the variable's value holds a line break"));
        }
        match quote {
            Quote::Double => Ok(value.replace('\\', "\\\\").replace('"', "\\\"")),
            Quote::Single => Ok(value.replace('\'', "''")),
            Quote::Plain if is_plain(value) => Ok(value.to_owned()),
            Quote::Plain => {
                Err(self
                    .wrong("the variable's value holds characters with a meaning in YAML: put the reference in quotes"))
            }
        }
    }

    fn wrong(&self, what: &str) -> ConfigError {
        ConfigError::Reference { path: self.path.to_owned(), line: self.line, what: what.to_owned() }
    }
}

fn next_quote(quote: Quote, c: char, before: char) -> Quote {
    let opens = before.is_whitespace() || ":[{,-".contains(before);
    match (quote, c) {
        (Quote::Plain, '"') if opens => Quote::Double,
        (Quote::Plain, '\'') if opens => Quote::Single,
        (Quote::Double, '"') if before != '\\' => Quote::Plain,
        (Quote::Single, '\'') => Quote::Plain,
        _ => quote,
    }
}

/// True when a value cannot be mistaken for YAML syntax.
fn is_plain(value: &str) -> bool {
    let special = |c: char| "#{}[],&*!|>'\"%@`\\".contains(c);
    !value.contains(special) && !value.contains(": ") && !value.ends_with(':') && !value.starts_with(['-', '?', ' '])
}

/// The key that a line gives a value to.
fn key_of(line: &str) -> &str {
    line.split_once(':').map_or("", |(key, _)| key.trim().trim_start_matches("- ").trim_matches(['"', '\'']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replaced(text: &str) -> Result<(String, Vec<String>), String> {
        let variable = |name: &str| match name {
            "HOST" => Some("db.example".to_owned()),
            "ODD" => Some("a\"b'c\\d # e".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        interpolate(text, Path::new("h.yaml"), &variable).map_err(|e| e.to_string())
    }

    #[test]
    fn references_are_replaced_also_inside_quotes() {
        let (text, warnings) =
            replaced("url: redis://${HOST}:${PORT:-6379}/0\nb: \"x${HOST}\"\nc: '${EMPTY:-y}'\n").unwrap();
        assert_eq!(text, "url: redis://db.example:6379/0\nb: \"xdb.example\"\nc: 'y'\n");
        assert!(warnings.is_empty());
    }

    #[test]
    fn values_are_escaped_for_the_place_where_they_stand() {
        assert_eq!(replaced("a: \"${ODD}\"").unwrap().0, r#"a: "a\"b'c\\d # e""#);
        assert_eq!(replaced("a: '${ODD}'").unwrap().0, r#"a: 'a"b''c\d # e'"#);
        assert!(replaced("a: ${ODD}").unwrap_err().contains("put the reference in quotes"));
    }

    #[test]
    fn a_missing_variable_names_key_and_line() {
        let message = replaced("a: 1\nredis:\n  url: ${NOWHERE}\n").unwrap_err();
        assert!(
            message.starts_with("h.yaml:3:") && message.contains("NOWHERE") && message.contains("`url`"),
            "{message}"
        );
    }

    #[test]
    fn a_missing_token_is_only_warned_about() {
        let (text, warnings) = replaced("  token: \"${INFLUXDB_TOKEN}\"\n").unwrap();
        assert_eq!(text, "  token: \"\"\n");
        assert!(warnings[0].contains("INFLUXDB_TOKEN"));
    }

    #[test]
    fn comments_and_doubled_dollars_are_left_alone() {
        assert_eq!(replaced("a: 1 # ${NOWHERE}\nb: $${HOST}\n").unwrap().0, "a: 1 # ${NOWHERE}\nb: ${HOST}\n");
    }
}
