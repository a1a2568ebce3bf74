//! A command wakes the running service: it has changed something.
//!
//! This module hides a datagram socket in the data folder. An idle service sleeps for the whole check
//! interval. Polling for a change would wake it again and again, while a thread that is blocked in `recv`
//! costs nothing. A datagram only means "check now", so a lost or repeated one does no harm.

use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind};
use std::os::fd::AsRawFd;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};

/// The folder in the data folder; only its owner may enter it.
const FOLDER: &str = "run";
const SOCKET: &str = "wake.sock";

/// A short path to the socket, because the path of a socket has room for about 100 bytes and that of the data
/// folder may be longer. The folder has to stay open while the path is used.
fn socket_path(folder: &File) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}/{SOCKET}", folder.as_raw_fd()))
}

/// Opens the socket in the data folder. The process must hold the lock of that folder.
///
/// # Errors
/// The socket cannot be created.
pub fn listen(data_dir: &Path) -> io::Result<UnixDatagram> {
    let folder = data_dir.join(FOLDER);
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder)?;
    let folder = File::open(folder)?;
    let path = socket_path(&folder);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => UnixDatagram::bind(&path),
    }
}

/// Waits for the next datagram.
///
/// # Errors
/// The socket has failed.
pub fn wait(socket: &UnixDatagram) -> io::Result<()> {
    loop {
        match socket.recv(&mut [0; 8]) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            other => return other.map(drop),
        }
    }
}

/// Whether a service is running with this data folder.
///
/// # Errors
/// The socket cannot be used for another reason than that no service listens.
pub fn is_running(data_dir: &Path) -> io::Result<bool> {
    connect_to(data_dir).map(|socket| socket.is_some())
}

/// Wakes the service of the data folder. Returns whether one is running.
///
/// # Errors
/// The socket cannot be used for another reason than that no service listens.
pub fn notify(data_dir: &Path) -> io::Result<bool> {
    let Some(socket) = connect_to(data_dir)? else {
        return Ok(false);
    };
    match socket.send(b"check") {
        // The socket buffer is full, so a wake-up is already pending.
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(true),
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => Ok(false),
        other => other.map(|_| true),
    }
}

/// A socket that is connected to the service, if one is running.
fn connect_to(data_dir: &Path) -> io::Result<Option<UnixDatagram>> {
    let connect = || {
        let folder = File::open(data_dir.join(FOLDER))?;
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        socket.connect(socket_path(&folder))?;
        io::Result::Ok(socket)
    };
    match connect() {
        Ok(socket) => Ok(Some(socket)),
        // Refused: the socket was left by a service that was killed.
        Err(error)
            if [ErrorKind::NotFound, ErrorKind::ConnectionRefused].contains(&error.kind()) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
