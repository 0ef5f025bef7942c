//! The operating system's files.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use crate::{File, Fs};

/// Files of the operating system. Every call may block on the disk.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealFs;

struct RealFile(fs::File);

impl File for RealFile {
    fn write_at(&self, data: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_all_at(data, offset)
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.0.read_exact_at(buf, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }
}

impl Fs for RealFs {
    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
        Ok(Arc::new(RealFile(file)))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        Ok(Arc::new(RealFile(file)))
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        fs::read(path)
    }

    #[expect(clippy::disallowed_methods, reason = "this is the rename that durable_rename is made of")]
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        fs::create_dir_all(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            // A name that is not UTF-8 cannot be one of ours.
            if let (false, Ok(name)) = (entry.file_type()?.is_dir(), entry.file_name().into_string()) {
                names.push(name);
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        fs::File::open(dir_or_current(dir))?.sync_all()
    }

    fn exists(&self, path: &Path) -> bool {
        path.is_file()
    }

    fn free_space(&self, path: &Path) -> io::Result<u64> {
        let path = std::ffi::CString::new(dir_or_current(path).as_os_str().as_bytes())?;
        let stat = statvfs(&path)?;
        // NOTE: the fields are narrower than 64 bits on 32-bit targets, where the conversion is not redundant.
        #[allow(clippy::useless_conversion, reason = "the field types differ between targets")]
        Ok(u64::from(stat.f_bavail).saturating_mul(u64::from(stat.f_frsize)))
    }
}

/// The parent of a bare file name is the empty path, which the system does not take for the current folder.
fn dir_or_current(dir: &Path) -> &Path {
    if dir.as_os_str().is_empty() { Path::new(".") } else { dir }
}

#[expect(unsafe_code, reason = "the standard library does not tell the free space of a file system")]
fn statvfs(path: &std::ffi::CStr) -> io::Result<libc::statvfs> {
    let mut stat = std::mem::MaybeUninit::<libc::statvfs>::zeroed();
    // SAFETY: `path` ends with a zero byte and lives through the call; `stat` is memory of the right size to write to.
    let code = unsafe { libc::statvfs(path.as_ptr(), stat.as_mut_ptr()) };
    if code != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: every field is an integer, for which zero is a value, and the call filled them in.
    Ok(unsafe { stat.assume_init() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replace_durably;

    #[test]
    fn what_is_written_is_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        let file = RealFs.create(&path).unwrap();
        file.write_at(b"hello", 3).unwrap();
        file.sync().unwrap();
        RealFs.sync_dir(dir.path()).unwrap();
        assert_eq!(RealFs.read(&path).unwrap(), b"\0\0\0hello");
        let mut buf = [0; 2];
        file.read_at(&mut buf, 4).unwrap();
        assert_eq!(&buf, b"el");
        let beyond = file.read_at(&mut buf, 7).unwrap_err();
        assert_eq!(beyond.kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn creating_a_file_twice_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        RealFs.create(&path).unwrap();
        assert_eq!(RealFs.create(&path).err().unwrap().kind(), io::ErrorKind::AlreadyExists);
    }

    #[test]
    fn lists_files_in_order_without_folders() {
        let dir = tempfile::tempdir().unwrap();
        RealFs.create_dir_all(&dir.path().join("folder")).unwrap();
        for name in ["b", "a"] {
            RealFs.create(&dir.path().join(name)).unwrap();
        }
        assert_eq!(RealFs.list(dir.path()).unwrap(), ["a", "b"]);
        assert!(RealFs.exists(&dir.path().join("a")));
        assert!(!RealFs.exists(&dir.path().join("folder")));
    }

    #[test]
    fn replacing_leaves_no_temporary_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        replace_durably(&RealFs, &path, b"one").unwrap();
        replace_durably(&RealFs, &path, b"two").unwrap();
        assert_eq!(RealFs.read(&path).unwrap(), b"two");
        assert_eq!(RealFs.list(dir.path()).unwrap(), ["a"]);
    }

    #[test]
    fn free_space_is_known() {
        let dir = tempfile::tempdir().unwrap();
        assert!(RealFs.free_space(dir.path()).unwrap() > 0);
        assert!(RealFs.free_space(&dir.path().join("missing")).is_err());
    }
}
