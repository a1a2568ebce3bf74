//! One word from a command to the running service: look now.
//!
//! What is hidden here: a datagram socket in the data folder. Polling for a change would wake an idle
//! service again and again, as it sleeps for the whole check interval; a thread that is blocked in
//! `recv` costs nothing. A word says nothing else, so one that is lost or comes twice does no harm.

use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind};
use std::os::fd::AsRawFd;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};

/// The folder in the data folder that only its owner may enter.
const FOLDER: &str = "run";
const SOCKET: &str = "wake.sock";

/// The socket's path however deep the data folder lies: paths of sockets have room for 100 bytes. The
/// folder has to stay open while the path is used.
fn socket_path(folder: &File) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}/{SOCKET}", folder.as_raw_fd()))
}

/// Hears words from now on, in the data folder that belongs to this process.
///
/// # Errors
/// The socket cannot be made.
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

/// Waits for the next word.
///
/// # Errors
/// The socket is of no use any more.
pub fn wait(socket: &UnixDatagram) -> io::Result<()> {
    loop {
        match socket.recv(&mut [0; 8]) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            other => return other.map(drop),
        }
    }
}

/// Whether a service works on the data folder.
///
/// # Errors
/// It cannot be found out.
pub fn is_running(data_dir: &Path) -> io::Result<bool> {
    connect_to(data_dir).map(|socket| socket.is_some())
}

/// Tells the service of the data folder to look now. Returns whether there is one.
///
/// # Errors
/// It cannot be told.
pub fn notify(data_dir: &Path) -> io::Result<bool> {
    let Some(socket) = connect_to(data_dir)? else {
        return Ok(false);
    };
    match socket.send(b"look") {
        // So many words wait that it is about to look anyway.
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(true),
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => Ok(false),
        other => other.map(|_| true),
    }
}

/// A socket that leads to the service, if there is one.
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
        // Refused: what a service that was killed left.
        Err(error)
            if [ErrorKind::NotFound, ErrorKind::ConnectionRefused].contains(&error.kind()) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
