//! Files of an export. Each appears under its name once it is whole and synced; standard output gets what comes.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::Context;
use formats::{Output, Packing};
use vfs::RealFs;

use super::pipes::{Stdout, Stoppable};
use super::source::Parameters;
use crate::cli::{ExportArgs, Failure, OutputFormat, PackingName};
use crate::export::{Format, Part, Summary};

/// Longest name of a file before its ending, in bytes; file systems take 255.
const NAME_MAX: usize = 200;

/// Where files go, and in which form.
pub(super) struct Place {
    target: Target,
    packing: Packing,
    pub(super) format: Format,
    /// Whether folders tell policies apart.
    by_policy: bool,
}

enum Target {
    Stdout,
    File(PathBuf),
    Folder(PathBuf),
}

/// One file.
pub(super) struct Task {
    /// `None`: standard output.
    path: Option<PathBuf>,
    /// What goes into it.
    pub(super) parameters: Parameters,
}

impl Place {
    pub(super) fn of(args: &ExportArgs) -> Result<Self, Failure> {
        let target = match &args.output {
            None => Target::Stdout,
            Some(path) if path.as_os_str() == "-" => Target::Stdout,
            Some(path) if path.is_dir() || path.as_os_str().as_encoded_bytes().ends_with(b"/") => {
                Target::Folder(path.clone())
            }
            // A folder is synced, so it needs a name.
            Some(path) if path.parent() == Some(Path::new("")) => Target::File(Path::new(".").join(path)),
            Some(path) => Target::File(path.clone()),
        };
        let by_name = if let Target::File(path) = &target { Packing::of(path) } else { Packing::Plain };
        let packing = args.pack.map_or(by_name, packing);
        let by_ending = || format_of(&target).unwrap_or(if args.query.is_some() { Format::Csv } else { Format::Lines });
        let format = args.format.map_or_else(by_ending, format);
        let place = Self { target, packing, format, by_policy: args.policy.is_none() };
        place.check(args)?;
        Ok(place)
    }

    fn check(&self, args: &ExportArgs) -> Result<(), Failure> {
        let wrong = |text: &str| Err(Failure::Usage(text.to_owned()));
        match (self.format, &self.target) {
            (Format::Parquet, _) if self.packing != Packing::Plain => {
                wrong("Parquet is packed by itself: leave .gz, .zst and --pack out")
            }
            (Format::Json, _) if args.query.is_none() => {
                wrong("--format json is for --query: points are lines, csv or parquet")
            }
            (_, Target::Folder(_)) if args.query.is_some() => {
                wrong("the answer to a query is one file: name it with --output FILE")
            }
            _ => Ok(()),
        }
    }

    pub(super) fn is_folder(&self) -> bool {
        matches!(self.target, Target::Folder(_))
    }

    /// Whether the data go to standard output.
    pub(super) fn is_stdout(&self) -> bool {
        matches!(self.target, Target::Stdout)
    }

    /// The place as people see it.
    pub(super) fn name(&self) -> String {
        match &self.target {
            Target::Stdout => "standard output".to_owned(),
            Target::File(path) | Target::Folder(path) => path.display().to_string(),
        }
    }

    /// The file for a part, or for everything.
    pub(super) fn task(&self, part: Option<&Part>, parameters: Parameters) -> Task {
        let path = match (&self.target, part) {
            (Target::Stdout, _) => None,
            (Target::File(path), _) | (Target::Folder(path), None) => Some(path.clone()),
            (Target::Folder(folder), Some(part)) => Some(folder.join(self.path_in_folder(part))),
        };
        Task { path, parameters }
    }

    /// `autogen.lp`, `autogen/pcs.csv.gz`; with `--policy` without the folder of the policy.
    fn path_in_folder(&self, part: &Part) -> PathBuf {
        let ending = match self.format {
            Format::Csv => ".csv",
            Format::Parquet => ".parquet",
            Format::Lines | Format::Json | Format::List => ".lp",
        };
        let packed = match self.packing {
            Packing::Plain => "",
            Packing::Gzip => ".gz",
            Packing::Zstd => ".zst",
        };
        let file = |name: &str| format!("{}{ending}{packed}", file_name(name));
        match (self.format, self.by_policy) {
            (Format::Lines, _) => PathBuf::from(file(&part.policy)),
            (_, true) => Path::new(&file_name(&part.policy)).join(file(&part.measurement)),
            (_, false) => PathBuf::from(file(&part.measurement)),
        }
    }

    /// Whether a file with this content is kept: a folder gets none without rows.
    pub(super) fn keeps(&self, written: &Summary) -> bool {
        !self.is_folder() || written.rows > 0
    }

    /// Has `export` write the file of a task.
    pub(super) fn write(
        &self,
        task: &Task,
        export: impl FnOnce(Output) -> Result<Summary, Failure>,
    ) -> Result<Summary, Failure> {
        let Some(path) = &task.path else {
            return export(Output::new(Box::new(Stoppable(Stdout)), self.packing)?);
        };
        let (temporary, file) = begin(path)?;
        let to = file.try_clone().and_then(|file| Output::new(Box::new(Stoppable(file)), self.packing));
        let written = to.map_err(Failure::from).and_then(export).map_err(|failure| match failure {
            Failure::Run(error) => Failure::Run(error.context(format!("write {}", path.display()))),
            usage => usage,
        });
        match written {
            Ok(summary) if self.keeps(&summary) => {
                file.sync_all()
                    .and_then(|()| vfs::durable_rename(&RealFs, &temporary, path))
                    .with_context(|| format!("write {}", path.display()))?;
                Ok(summary)
            }
            written => {
                std::fs::remove_file(&temporary).with_context(|| format!("remove {}", temporary.display()))?;
                written
            }
        }
    }
}

/// The file that becomes the one at `path`.
fn begin(path: &Path) -> Result<(PathBuf, File), Failure> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder {
        std::fs::create_dir_all(folder).with_context(|| format!("make the folder {}", folder.display()))?;
    }
    let temporary = vfs::temporary_name(path);
    let file = File::create(&temporary).with_context(|| format!("make the file {}", temporary.display()))?;
    Ok((temporary, file))
}

/// By the ending before that of the packing.
fn format_of(target: &Target) -> Option<Format> {
    let Target::File(path) = target else { return None };
    let name = path.to_string_lossy().to_ascii_lowercase();
    let plain = [".gz", ".gzip", ".zst", ".zstd"].iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(&name);
    match plain.rsplit_once('.').map(|(_, ending)| ending) {
        Some("csv") => Some(Format::Csv),
        Some("parquet") => Some(Format::Parquet),
        Some("json" | "jsonl" | "ndjson") => Some(Format::Json),
        Some("lp" | "txt" | "line") => Some(Format::Lines),
        _ => None,
    }
}

const fn format(format: OutputFormat) -> Format {
    match format {
        OutputFormat::Lines => Format::Lines,
        OutputFormat::Csv => Format::Csv,
        OutputFormat::Parquet => Format::Parquet,
        OutputFormat::Json => Format::Json,
    }
}

const fn packing(name: PackingName) -> Packing {
    match name {
        PackingName::None => Packing::Plain,
        PackingName::Gzip => Packing::Gzip,
        PackingName::Zstd => Packing::Zstd,
    }
}

/// A name as one part of a path: letters and digits of all scripts, `-`, `_` and `.` as they are, the rest as `%2F`; a long one shortened,
/// with `~` and its checksum.
fn file_name(name: &str) -> String {
    let mut out = String::new();
    for (at, sign) in name.char_indices() {
        if sign.is_alphanumeric() || matches!(sign, '-' | '_') || (sign == '.' && at > 0) {
            out.push(sign);
        } else {
            sign.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| out += &format!("%{byte:02X}"));
        }
    }
    if out.len() <= NAME_MAX {
        return out;
    }
    let end = (0..=NAME_MAX).rev().find(|at| out.is_char_boundary(*at)).unwrap_or(0);
    format!("{}~{:08x}", out.get(..end).unwrap_or_default(), crc32c::crc32c(name.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_stay_in_their_folder_and_apart() {
        assert_eq!(file_name("pcs"), "pcs");
        assert_eq!(file_name(".."), "%2E.");
        assert_eq!(file_name("a/b c"), "a%2Fb%20c");
        assert_eq!(file_name("温度"), "温度");
        let (a, b) = (file_name(&"x".repeat(300)), file_name(&"x".repeat(301)));
        assert!(a.len() < 240 && a != b, "{a}");
    }

    #[test]
    fn the_ending_tells_the_format() {
        let of = |name: &str| format_of(&Target::File(PathBuf::from(name)));
        assert_eq!(of("a.csv.gz"), Some(Format::Csv));
        assert_eq!(of("a.PARQUET"), Some(Format::Parquet));
        assert_eq!(of("a.jsonl"), Some(Format::Json));
        assert_eq!(of("a.lp.zst"), Some(Format::Lines));
        assert_eq!(of("a"), None);
    }
}
