//! Block files open for reading. A store of many years has thousands of files; only a few are open at a time.

use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use vfs::{File, Fs};

/// Most files kept open; well below the 1024 that a process may have by default, sockets included.
const OPEN_MAX: usize = 128;

/// Opens block files as they are needed; the one not used for longest is closed first.
pub(crate) struct Handles {
    pub(crate) fs: Arc<dyn Fs>,
    /// By file number, the last used at the back.
    open: Mutex<VecDeque<(u64, Arc<dyn File>)>>,
}

impl Handles {
    pub(crate) fn new(fs: Arc<dyn Fs>) -> Self {
        Self { fs, open: Mutex::default() }
    }

    /// The file with this number, opened when it is not open.
    pub(crate) fn get(&self, number: u64, path: &Path) -> io::Result<Arc<dyn File>> {
        if let Some(file) = self.take(number) {
            return Ok(self.keep(number, file));
        }
        let file = self.fs.open(path)?;
        Ok(self.keep(number, file))
    }

    /// Closes and removes a file.
    pub(crate) fn remove(&self, number: u64, path: &Path) -> io::Result<()> {
        drop(self.take(number));
        self.fs.remove(path)
    }

    fn take(&self, number: u64) -> Option<Arc<dyn File>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let at = open.iter().position(|(n, _)| *n == number)?;
        open.remove(at).map(|(_, file)| file)
    }

    fn keep(&self, number: u64, file: Arc<dyn File>) -> Arc<dyn File> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.len() == OPEN_MAX {
            open.pop_front();
        }
        open.push_back((number, Arc::clone(&file)));
        file
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vfs::FaultFs;

    #[test]
    fn any_number_of_files_is_read_with_few_of_them_open() {
        let fs = Arc::new(FaultFs::new());
        fs.create_dir_all(Path::new("d")).unwrap();
        let handles = Handles::new(Arc::clone(&fs) as Arc<dyn Fs>);
        let path = |i: u64| format!("d/{i}");
        for i in 0..300 {
            fs.create(Path::new(&path(i))).unwrap().write_at(&[i as u8], 0).unwrap();
        }
        for i in (0..300).chain(200..300) {
            let mut byte = [0];
            handles.get(i, Path::new(&path(i))).unwrap().read_at(&mut byte, 0).unwrap();
            assert_eq!(byte[0], i as u8);
            assert!(handles.open.lock().unwrap().len() <= OPEN_MAX);
        }
        handles.remove(299, Path::new(&path(299))).unwrap();
        assert!(handles.get(299, Path::new(&path(299))).is_err());
    }
}
