//! A stream under a WebSocket whose text frames arrive as binary ones: the protocol ends a connection over half a character in
//! a text frame, and then what somebody said is lost and every answer under way with it. As bytes it can be mended
//! ([`super::mend::text`]).

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, Result};

/// Opcodes of a frame's first byte.
const OPCODE: u8 = 0x0f;
const TEXT: u8 = 1;
const BINARY: u8 = 2;

/// Changes what is read, and nothing of what is written.
pub struct TextAsBytes<S> {
    stream: S,
    next: Next,
}

/// What the next byte is.
#[derive(Clone, Copy, Debug)]
enum Next {
    /// A frame's first byte.
    Opcode,
    /// The second: the mask's bit and the length, or how long the length is.
    Length,
    /// So many more bytes of the length, with what is known of it, and bytes of the mask behind it.
    More { left: u8, length: u64, mask: u64 },
    /// So many bytes of the mask and the content.
    Content(u64),
}

impl<S> TextAsBytes<S> {
    /// `stream` stands at the beginning of a frame.
    pub const fn new(stream: S) -> Self {
        Self { stream, next: Next::Opcode }
    }
}

impl Next {
    const fn content(length: u64) -> Self {
        if length == 0 { Self::Opcode } else { Self::Content(length) }
    }

    /// Goes through bytes that were read.
    fn pass(&mut self, bytes: &mut [u8]) {
        let mut at = 0;
        while at < bytes.len() {
            let byte = bytes[at];
            let mut passed = 1;
            *self = match *self {
                Self::Opcode => {
                    if byte & OPCODE == TEXT {
                        bytes[at] = byte & !OPCODE | BINARY;
                    }
                    Self::Length
                }
                Self::Length => {
                    let mask = u64::from(byte >> 7) * 4;
                    match byte & 0x7f {
                        126 => Self::More { left: 2, length: 0, mask },
                        127 => Self::More { left: 8, length: 0, mask },
                        length => Self::content(u64::from(length) + mask),
                    }
                }
                Self::More { left, length, mask } => {
                    let length = length << 8 | u64::from(byte);
                    if left > 1 {
                        Self::More { left: left - 1, length, mask }
                    } else {
                        Self::content(length.saturating_add(mask))
                    }
                }
                Self::Content(left) => {
                    passed = left.min((bytes.len() - at) as u64) as usize;
                    Self::content(left - passed as u64)
                }
            };
            at += passed;
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for TextAsBytes<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        self.next.pass(&mut buf.filled_mut()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for TextAsBytes<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(first: u8, masked: bool, content: &[u8]) -> Vec<u8> {
        let mask = u8::from(masked) << 7;
        let mut frame = vec![first];
        match content.len() {
            length @ 0..126 => frame.push(mask | length as u8),
            length @ 126..0x1_0000 => {
                frame.push(mask + 126);
                frame.extend((length as u16).to_be_bytes());
            }
            length => {
                frame.push(mask + 127);
                frame.extend((length as u64).to_be_bytes());
            }
        }
        if masked {
            frame.extend([0x81; 4]);
        }
        frame.extend(content);
        frame
    }

    /// Frames of every length and kind, full of bytes that look like a frame's first, cut anywhere.
    #[test]
    fn only_a_text_frames_first_byte_changes() {
        let (mut sent, mut expected) = (Vec::new(), Vec::new());
        for length in [0, 1, 125, 126, 127, 0xffff, 0x1_0000] {
            for (first, becomes) in [(0x81, 0x82), (0x01, 0x02), (0x80, 0x80), (0x82, 0x82), (0x89, 0x89), (0x8a, 0x8a)]
            {
                for masked in [false, true] {
                    let content = vec![0x81; length];
                    sent.extend(frame(first, masked, &content));
                    expected.extend(frame(becomes, masked, &content));
                }
            }
        }
        for piece in [1, 2, 3, 7, 1000, sent.len()] {
            let (mut read, mut next) = (sent.clone(), Next::Opcode);
            read.chunks_mut(piece).for_each(|piece| next.pass(piece));
            assert!(read == expected, "in pieces of {piece}");
        }
    }
}
