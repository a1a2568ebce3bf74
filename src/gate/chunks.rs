//! Decoder of a chunked body (RFC 9112, section 7.1). No socket, no clock.
//!
//! It is strict: a size has hexadecimal digits only, every line ends with CR LF, and extensions and
//! trailers are checked, counted and dropped. What a lenient parser would repair is refused,
//! because a proxy in front may have repaired it in another way.

use super::Limits;
use super::answer::GateRefusal;
use super::head::{BODY_TOO_LARGE, is_printable, is_token};

/// 8 hexadecimal digits are 4 GiB; the limit on the body refuses all sizes near that.
const MOST_SIZE_DIGITS: usize = 8;

const BAD_SIZE: GateRefusal =
    GateRefusal::bad_request("begin every chunk with its size in 1 to 8 hexadecimal digits");
const BAD_LINE: GateRefusal =
    GateRefusal::bad_request("send short chunk lines of printable ASCII that end with CR LF");
const BAD_CHUNK_END: GateRefusal =
    GateRefusal::bad_request("end every chunk after its announced size with CR LF");
const BAD_TRAILER: GateRefusal = GateRefusal::bad_request(
    "end the chunks with an empty line, or with few `Name: value` lines before it",
);
const TOO_MANY_CHUNKS: GateRefusal = GateRefusal::bad_request("send the body in fewer chunks");

/// The part of the body that the next byte belongs to.
#[derive(Clone, Copy, Debug)]
enum Part {
    Size,
    Data { left: usize },
    DataEnd,
    Trailer,
}

/// What became of the next part of a body.
enum ChunkStep {
    /// It is parsed, and another one follows.
    Parsed,
    /// It has not arrived as a whole.
    Incomplete,
    /// It was the last one.
    End,
}

/// The state of decoding. The body is behind its head in the same buffer, and is decoded in place.
#[derive(Debug)]
pub(super) struct Chunks {
    part: Part,
    /// Where the decoded body begins in the buffer.
    start: usize,
    /// Bytes decoded so far.
    length: usize,
    chunks: usize,
    trailer_lines: usize,
    trailer_bytes: usize,
}

impl Chunks {
    /// A body that begins at `start` of its buffer.
    pub fn at(start: usize) -> Self {
        Self {
            part: Part::Size,
            start,
            length: 0,
            chunks: 0,
            trailer_lines: 0,
            trailer_bytes: 0,
        }
    }

    /// Removes the framing from `buffer`, as far as it has arrived. Returns the length of the body
    /// once it is complete; the bytes after it in `buffer` belong to the next request.
    pub fn decode(
        &mut self,
        buffer: &mut Vec<u8>,
        limits: &Limits,
    ) -> Result<Option<usize>, GateRefusal> {
        // Bytes before `at` are parsed; those between the decoded body and `at` are framing.
        let mut at = self.start + self.length;
        let complete = loop {
            match self.step(buffer, &mut at, limits)? {
                ChunkStep::Parsed => {}
                ChunkStep::Incomplete => break false,
                ChunkStep::End => break true,
            }
        };
        buffer.drain(self.start + self.length..at);
        Ok(complete.then_some(self.length))
    }

    /// Parses the next part that begins at `at`, and moves `at` behind it.
    fn step(
        &mut self,
        buffer: &mut [u8],
        at: &mut usize,
        limits: &Limits,
    ) -> Result<ChunkStep, GateRefusal> {
        let unread = &buffer[*at..];
        match self.part {
            Part::Size => {
                let Some(line) = line_of(unread, limits.chunk_line_bytes)? else {
                    return Ok(ChunkStep::Incomplete);
                };
                let used = line.len() + 2;
                self.part = self.begin_chunk(line, limits)?;
                *at += used;
            }
            Part::Data { left } => return Ok(self.keep_data(buffer, at, left)),
            Part::DataEnd => {
                if !b"\r\n".starts_with(&unread[..unread.len().min(2)]) {
                    return Err(BAD_CHUNK_END);
                }
                if unread.len() < 2 {
                    return Ok(ChunkStep::Incomplete);
                }
                *at += 2;
                self.part = Part::Size;
            }
            Part::Trailer => {
                let Some(line) = line_of(unread, limits.chunk_line_bytes)? else {
                    return Ok(ChunkStep::Incomplete);
                };
                *at += line.len() + 2;
                if line.is_empty() {
                    return Ok(ChunkStep::End);
                }
                self.check_trailer(line, limits)?;
            }
        }
        Ok(ChunkStep::Parsed)
    }

    /// Moves the data of a chunk, of which `left` bytes are missing, to the end of the decoded body.
    fn keep_data(&mut self, buffer: &mut [u8], at: &mut usize, left: usize) -> ChunkStep {
        let count = left.min(buffer.len() - *at);
        let written = self.start + self.length;
        buffer.copy_within(*at..*at + count, written);
        self.length += count;
        *at += count;
        if count < left {
            self.part = Part::Data { left: left - count };
            return ChunkStep::Incomplete;
        }
        self.part = Part::DataEnd;
        ChunkStep::Parsed
    }

    /// Parses the line before a chunk: its size, and any extensions.
    fn begin_chunk(&mut self, line: &[u8], limits: &Limits) -> Result<Part, GateRefusal> {
        let digits = line.split(|byte| *byte == b';').next().unwrap_or(line);
        let size = size_of(digits).ok_or(BAD_SIZE)?;
        if size == 0 {
            return Ok(Part::Trailer);
        }
        if size > limits.body_bytes - self.length {
            return Err(BODY_TOO_LARGE);
        }
        self.chunks += 1;
        if self.chunks > limits.chunks {
            return Err(TOO_MANY_CHUNKS);
        }
        Ok(Part::Data { left: size })
    }

    fn check_trailer(&mut self, line: &[u8], limits: &Limits) -> Result<(), GateRefusal> {
        let name = line.split(|byte| *byte == b':').next().unwrap_or(line);
        self.trailer_lines += 1;
        self.trailer_bytes += line.len() + 2;
        let within =
            self.trailer_lines <= limits.header_lines && self.trailer_bytes <= limits.trailer_bytes;
        if name.len() < line.len() && is_token(name) && within {
            Ok(())
        } else {
            Err(BAD_TRAILER)
        }
    }
}

/// The first line of `bytes` without its CR LF; `None` while it is incomplete. With the CR LF it
/// may have `most` bytes.
fn line_of(bytes: &[u8], most: usize) -> Result<Option<&[u8]>, GateRefusal> {
    let window = &bytes[..bytes.len().min(most)];
    let Some(lf) = window.iter().position(|byte| *byte == b'\n') else {
        return if window.len() < most {
            Ok(None)
        } else {
            Err(BAD_LINE)
        };
    };
    match window[..lf].strip_suffix(b"\r") {
        Some(line) if is_printable(line) => Ok(Some(line)),
        _ => Err(BAD_LINE),
    }
}

/// The size of a chunk. Digits only, as parsers disagree about `+5`, `0x5` and `5 `.
fn size_of(digits: &[u8]) -> Option<usize> {
    if !(1..=MOST_SIZE_DIGITS).contains(&digits.len()) || !digits.iter().all(u8::is_ascii_hexdigit)
    {
        return None;
    }
    let size = u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    Some(usize::try_from(size).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests;
