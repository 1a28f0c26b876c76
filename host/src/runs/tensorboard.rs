//! TensorBoard event files: TFRecord frames around protocol-buffer `Event` messages.
//!
//! A frame is `length: u64`, masked CRC-32C of those 8 bytes, the message, masked CRC-32C of the
//! message, all little-endian. Of `Event` we write `wall_time = 1`, `step = 2`, `file_version = 3`,
//! `summary = 5` (values with `tag = 1`, `simple_value = 2`) and `session_log = 7`.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use super::Warning;
use super::append::AppendFile;

/// Wire types of protocol buffers.
const VARINT: u8 = 0;
const FIXED64: u8 = 1;
const BYTES: u8 = 2;
const FIXED32: u8 = 5;
/// `SessionLog.START`: readers drop events of the files before from this event's step on.
const START: u64 = 1;

/// Writes scalars to an event file of its own in a run folder.
#[derive(Debug)]
pub struct EventWriter {
    file: AppendFile,
    resumed: Option<u64>,
    failing: bool,
}

impl EventWriter {
    /// A new event file in `folder`, made with the first scalars. A run that was `resumed` at a
    /// step makes TensorBoard forget what the killed process had logged after that step.
    pub fn new(folder: &Path, resumed: Option<u64>) -> Self {
        let start = seconds() as u64;
        let step = resumed.unwrap_or(0);
        let path = (start..)
            .map(|time| {
                folder.join(format!(
                    "events.out.tfevents.{time:010}.palaestra.{step:012}"
                ))
            })
            .find(|path| !path.exists())
            .expect("a time that no file has");
        Self {
            file: AppendFile::new(&path, 0),
            resumed,
            failing: false,
        }
    }

    /// Records values at `step` environment steps. A failed write loses these values and gives a
    /// warning, once until a write succeeds again.
    pub fn scalars(&mut self, step: u64, values: &[(&str, f64)]) -> Option<Warning> {
        let time = seconds();
        let mut bytes = Vec::new();
        if self.file.length() == 0 {
            bytes.extend(frame(&event(time, 0, 3, b"brain.Event:2")));
            if let Some(resumed) = self.resumed {
                let mut log = vec![1 << 3 | VARINT];
                varint(&mut log, START);
                bytes.extend(frame(&event(time, resumed + 1, 7, &log)));
            }
        }
        bytes.extend(frame(&event(time, step, 5, &summary(values))));
        match self.file.append(&bytes) {
            Ok(()) => {
                self.failing = false;
                None
            }
            Err(_) if self.failing => None,
            Err(error) => {
                self.failing = true;
                Some(Warning::new(format!(
                    "{}: expected to write an event, found {error}; TensorBoard will miss some",
                    self.file.path().display()
                )))
            }
        }
    }
}

/// Seconds since 1970.
fn seconds() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |since| since.as_secs_f64())
}

/// An `Event` with one field of bytes besides time and step.
fn event(time: f64, step: u64, field: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![1 << 3 | FIXED64];
    out.extend(time.to_le_bytes());
    out.push(2 << 3 | VARINT);
    varint(&mut out, step);
    bytes_field(&mut out, field, content);
    out
}

/// A `Summary` of simple values, as f32.
fn summary(values: &[(&str, f64)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (tag, value) in values {
        let mut entry = Vec::new();
        bytes_field(&mut entry, 1, tag.as_bytes());
        entry.push(2 << 3 | FIXED32);
        entry.extend((*value as f32).to_le_bytes());
        bytes_field(&mut out, 1, &entry);
    }
    out
}

fn bytes_field(out: &mut Vec<u8>, field: u8, content: &[u8]) {
    out.push(field << 3 | BYTES);
    varint(out, content.len() as u64);
    out.extend(content);
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// A TFRecord frame.
fn frame(message: &[u8]) -> Vec<u8> {
    let length = (message.len() as u64).to_le_bytes();
    let mut out = length.to_vec();
    out.extend(masked(crc32c(&length)).to_le_bytes());
    out.extend(message);
    out.extend(masked(crc32c(message)).to_le_bytes());
    out
}

/// TFRecord's masking of a checksum.
fn masked(crc: u32) -> u32 {
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}

/// CRC-32C (Castagnoli, reflected polynomial 0x82F63B78), RFC 3720 appendix B.4.
fn crc32c(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = {
        let mut table = [0; 256];
        let mut index = 0;
        while index < 256 {
            let mut crc = index as u32;
            let mut bit = 0;
            while bit < 8 {
                crc = (crc >> 1) ^ if crc & 1 == 1 { 0x82F6_3B78 } else { 0 };
                bit += 1;
            }
            table[index] = crc;
            index += 1;
        }
        table
    };
    !bytes.iter().fold(!0, |crc, byte| {
        TABLE[usize::from(crc as u8 ^ byte)] ^ (crc >> 8)
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// One field of a message: number and content.
    #[derive(Debug, PartialEq)]
    enum Field<'a> {
        Number(u64),
        Double(f64),
        Single(f32),
        Bytes(&'a [u8]),
    }

    fn read_varint(bytes: &mut &[u8]) -> u64 {
        let mut value = 0;
        for shift in (0..).step_by(7) {
            let (byte, rest) = bytes.split_first().unwrap();
            *bytes = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        value
    }

    fn take<'a>(bytes: &mut &'a [u8], count: usize) -> &'a [u8] {
        let (taken, rest) = bytes.split_at(count);
        *bytes = rest;
        taken
    }

    fn fields(mut bytes: &[u8]) -> Vec<(u64, Field<'_>)> {
        let mut out = Vec::new();
        while !bytes.is_empty() {
            let key = read_varint(&mut bytes);
            let field = match (key & 7) as u8 {
                VARINT => Field::Number(read_varint(&mut bytes)),
                FIXED64 => {
                    Field::Double(f64::from_le_bytes(take(&mut bytes, 8).try_into().unwrap()))
                }
                FIXED32 => {
                    Field::Single(f32::from_le_bytes(take(&mut bytes, 4).try_into().unwrap()))
                }
                BYTES => {
                    let count = read_varint(&mut bytes) as usize;
                    Field::Bytes(take(&mut bytes, count))
                }
                other => panic!("wire type {other}"),
            };
            out.push((key >> 3, field));
        }
        out
    }

    /// Messages of a file; both checksums of every frame are compared.
    fn frames(mut bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut out = Vec::new();
        while !bytes.is_empty() {
            let length = take(&mut bytes, 8);
            assert_eq!(
                take(&mut bytes, 4),
                masked(crc32c(length)).to_le_bytes(),
                "length"
            );
            let length = u64::from_le_bytes(length.try_into().unwrap());
            let message = take(&mut bytes, length as usize);
            assert_eq!(take(&mut bytes, 4), masked(crc32c(message)).to_le_bytes());
            out.push(message.to_vec());
        }
        out
    }

    #[test]
    fn checksums_of_the_standard() {
        // RFC 3720, B.4, and the usual check value.
        assert_eq!(crc32c(&[0; 32]), 0x8A91_36AA);
        assert_eq!(crc32c(&[0xff; 32]), 0x62A8_AB43);
        let rising: Vec<u8> = (0..32).collect();
        assert_eq!(crc32c(&rising), 0x46DD_794E);
        assert_eq!(crc32c(b"123456789"), 0xE306_9283);
    }

    #[test]
    fn an_event_has_the_known_bytes() {
        // step 300 = 0xAC 0x02; 0.5f = 00 00 00 3F.
        let bytes = event(1.5, 300, 5, &summary(&[("a/b", 0.5)]));
        let mut expected = vec![0x09, 0, 0, 0, 0, 0, 0, 0xF8, 0x3F, 0x10, 0xAC, 0x02];
        expected.extend([0x2A, 0x0C, 0x0A, 0x0A, 0x0A, 0x03, b'a', b'/', b'b']);
        expected.extend([0x15, 0x00, 0x00, 0x00, 0x3F]);
        assert_eq!(bytes, expected);
    }

    #[test]
    fn a_decoder_reads_what_was_written_and_a_resumed_run_starts_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let mut first = EventWriter::new(folder.path(), None);
        assert_eq!(
            first.scalars(128, &[("loss", 0.25), ("return", -3.0)]),
            None
        );
        assert_eq!(first.scalars(1 << 40, &[("loss", f64::NAN)]), None);
        let mut second = EventWriter::new(folder.path(), Some(128));
        assert_eq!(second.scalars(256, &[("loss", 0.5)]), None);
        let mut files: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        assert_eq!(files.len(), 2);

        let bytes = fs::read(&files[0]).unwrap();
        let messages = frames(&bytes);
        assert_eq!(messages.len(), 3);
        let version = fields(&messages[0]);
        assert_eq!(version[2], (3, Field::Bytes(b"brain.Event:2")));
        let values = fields(&messages[1]);
        let (1, Field::Double(time)) = values[0] else {
            panic!("{values:?}")
        };
        assert!(time > 1.7e9);
        assert_eq!(values[1], (2, Field::Number(128)));
        let (5, Field::Bytes(summary)) = &values[2] else {
            panic!("{values:?}")
        };
        let scalars = fields(summary);
        let (1, Field::Bytes(second)) = &scalars[1] else {
            panic!("{scalars:?}")
        };
        assert_eq!(
            fields(second),
            [(1, Field::Bytes(b"return")), (2, Field::Single(-3.0))]
        );
        assert_eq!(fields(&messages[2])[1], (2, Field::Number(1 << 40)));

        let bytes = fs::read(&files[1]).unwrap();
        let messages = frames(&bytes);
        let start = fields(&messages[1]);
        assert_eq!(start[1], (2, Field::Number(129)));
        assert_eq!(start[2], (7, Field::Bytes(&[8, 1])));
    }

    #[test]
    fn a_folder_that_is_gone_warns_once() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("run");
        let mut writer = EventWriter::new(&inner, None);
        assert!(writer.scalars(1, &[("a", 1.0)]).is_some());
        assert_eq!(writer.scalars(2, &[("a", 1.0)]), None);
        fs::create_dir(&inner).unwrap();
        assert_eq!(writer.scalars(3, &[("a", 1.0)]), None);
        let file = fs::read_dir(&inner).unwrap().next().unwrap().unwrap();
        assert_eq!(frames(&fs::read(file.path()).unwrap()).len(), 2);
    }
}
