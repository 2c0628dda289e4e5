//! Files about people are for whoever runs the bot and for nobody else, whatever the umask says; and how much room their disk has.

use std::{
    fs::{self, File},
    io,
    path::Path,
};

/// A new or emptied file that only its owner reads.
pub fn create(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    #[cfg(unix)]
    if file.metadata()?.is_file() {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))?; // one that was there before
    }
    Ok(file)
}

/// Bytes that the disk of `path` has room for; `None` where that cannot be known.
pub fn free_bytes(path: &Path) -> Option<u64> {
    #[cfg(unix)]
    return rustix::fs::statvfs(path).ok().map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize));
    #[cfg(not(unix))]
    return None;
}

#[cfg(all(test, unix))]
mod tests {
    use std::{io::Write, os::unix::fs::PermissionsExt};

    use super::*;

    #[test]
    fn nobody_else_reads_it_also_where_they_could_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.csv");
        fs::write(&path, "as it was, and longer").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        create(&path).unwrap().write_all(b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(free_bytes(&path).is_some());
    }
}
