//! A body in chunks (RFC 9112, section 7.1), in the strictest reading that there is.

/// What bounds a body in chunks.
pub struct Bounds {
    /// Bytes of the body.
    pub body: usize,
    /// Chunks that are not empty.
    pub chunks: usize,
    /// Bytes of a line with its end.
    pub line: usize,
    /// Lines behind the last chunk.
    pub trailer_lines: usize,
    /// Bytes of those lines.
    pub trailers: usize,
}

/// What bytes amount to.
pub enum Read<'a> {
    /// A body, and what follows it.
    Whole(Vec<u8>, &'a [u8]),
    /// The beginning of one.
    Incomplete,
    /// Nothing of the kind; the status to say so.
    Bad(u16),
}

/// Reads the body at the start of `bytes`.
pub fn read<'a>(bytes: &'a [u8], bounds: &Bounds) -> Read<'a> {
    let (mut rest, mut body, mut chunks) = (bytes, Vec::new(), 0);
    loop {
        let line = match line(rest, bounds.line) {
            Ok(Some(line)) => line,
            Ok(None) => return Read::Incomplete,
            Err(()) => return Read::Bad(400),
        };
        rest = &rest[line.len() + 2..];
        let size = line.split(';').next().expect("a first part");
        let digits = size.bytes().all(|b| b.is_ascii_hexdigit());
        if !digits || !(1..=8).contains(&size.len()) {
            return Read::Bad(400);
        }
        let size = usize::from_str_radix(size, 16).expect("digits");
        if size == 0 {
            return trailers(rest, body, bounds);
        }
        chunks += 1;
        if body.len() + size > bounds.body {
            return Read::Bad(413);
        }
        if chunks > bounds.chunks {
            return Read::Bad(400);
        }
        let Some((chunk, behind)) = rest.split_at_checked(size) else {
            return Read::Incomplete;
        };
        body.extend_from_slice(chunk);
        rest = match behind {
            [b'\r', b'\n', rest @ ..] => rest,
            [] | [b'\r'] => return Read::Incomplete,
            _ => return Read::Bad(400),
        };
    }
}

fn trailers<'a>(bytes: &'a [u8], body: Vec<u8>, bounds: &Bounds) -> Read<'a> {
    let (mut rest, mut lines) = (bytes, 0);
    loop {
        let line = match line(rest, bounds.line) {
            Ok(Some(line)) => line,
            Ok(None) => return Read::Incomplete,
            Err(()) => return Read::Bad(400),
        };
        rest = &rest[line.len() + 2..];
        if line.is_empty() {
            return Read::Whole(body, rest);
        }
        lines += 1;
        let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        let proper = line
            .split_once(':')
            .is_some_and(|(name, _)| !name.is_empty() && name.bytes().all(token));
        let length = bytes.len() - rest.len();
        if !proper || lines > bounds.trailer_lines || length > bounds.trailers {
            return Read::Bad(400);
        }
    }
}

/// The first line, without its end.
fn line(bytes: &[u8], most: usize) -> Result<Option<&str>, ()> {
    let end = bytes.iter().take(most).position(|byte| *byte == b'\n');
    let Some(end) = end else {
        return if bytes.len() < most {
            Ok(None)
        } else {
            Err(())
        };
    };
    let line = bytes[..end].strip_suffix(b"\r").ok_or(())?;
    let proper = line.iter().all(|b| matches!(b, b'\t' | b' '..=b'~'));
    let line = std::str::from_utf8(line).map_err(|_| ())?;
    if proper { Ok(Some(line)) } else { Err(()) }
}
