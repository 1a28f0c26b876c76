//! A rollout as bytes: a fresh one that reads them goes on as if it had never stopped.
//!
//! Saved between two steps: every instance's own snapshot, what the world wrappers remember of it, its
//! episode statistics, and the present rows of every slab. All of it goes instance by instance, so shards and
//! threads may differ when it is read. Not saved: rows of earlier slots, the list of episodes that ended in
//! the last step (it is empty after reading), and sets of episodes that are being kept.
//!
//! The stream: a line that names the format, a line of JSON, then one snapshot and one JSON document per
//! instance, then the rows, slab after slab; each block after its length (u64, little endian).

use std::io::{self, BufRead, BufReader, Read, Write};

use palaestra_plugin_api::{
    Error, Result,
    abi::{NO_GROUP, id},
    layout::SlabLayout,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Rollout, blame};
use crate::exact;

/// First line of the stream.
const FORMAT: &str = "palaestra rollout 2";
/// Longest line that is read.
const MAX_LINE: u64 = 1 << 24;

/// What must be the same on both sides.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    first_instance: u64,
    instances: usize,
    now: usize,
    /// Names of the world wrappers.
    wrappers: Vec<String>,
    /// Id, group, type and width of every slab that is saved.
    slabs: Vec<(u32, u32, u32, usize)>,
}

impl Rollout {
    /// Writes everything that a fresh rollout of the same options needs to go on with the same bytes.
    ///
    /// # Errors
    /// Nothing was reset yet, the environment offers no snapshots, or the stream fails.
    pub fn save_state(&mut self, out: &mut dyn Write) -> Result<()> {
        let header = self.header(self.started()?);
        writeln!(out, "{FORMAT}\n{}", json!(header))?;
        let Self {
            batch,
            lanes,
            plugin,
            ..
        } = self;
        for (mut shard, lane) in batch.shards_mut().zip(lanes) {
            for i in 0..shard.range().len() {
                let snapshot = shard
                    .snapshot(i)
                    .map_err(|e| blame(plugin, "snapshot", e))?;
                write_block(out, &snapshot)?;
                write_block(out, lane.save(i).to_string().as_bytes())?;
            }
        }
        write_block(out, &self.batch.save_slot(header.now))
    }

    /// Goes on where the rollout was that wrote `from`: one of the same environment, configuration, seed,
    /// instances and wrappers. Reads ahead: nothing else should follow in the stream.
    ///
    /// # Errors
    /// Kind `Config` for the state of another rollout, `Io` when the stream fails; this one must then be
    /// reset before it is used.
    pub fn load_state(&mut self, from: &mut dyn Read) -> Result<()> {
        let mut from = BufReader::new(from);
        self.now = None;
        let header = read_header(&mut from)?;
        self.check(&header)?;
        let Self {
            batch,
            lanes,
            plugin,
            ..
        } = self;
        for (mut shard, lane) in batch.shards_mut().zip(lanes) {
            for i in 0..shard.range().len() {
                let snapshot = read_block(&mut from)?;
                shard
                    .restore(i, &snapshot, header.now)
                    .map_err(|e| blame(plugin, "restore", e))?;
                lane.load(i, &parse(&read_block(&mut from)?)?)?;
            }
        }
        let rows = read_block(&mut from)?;
        self.batch.load_slot(header.now, &rows)?;
        if let Some(count) = self.batch.slabs().key::<u32>(id::ENDED_COUNT, NO_GROUP) {
            self.batch.rows_mut(count, 0).fill(0);
        }
        self.now = Some(header.now);
        Ok(())
    }

    fn header(&self, now: usize) -> Header {
        let (first_instance, instances) = self.span();
        let slabs = self.batch.slabs().layouts().filter(|l| !l.ended);
        let slab = |l: &SlabLayout| (l.id, l.group, l.dtype as u32, l.row());
        Header {
            first_instance,
            instances,
            now,
            wrappers: self.wrappers.clone(),
            slabs: slabs.map(slab).collect(),
        }
    }

    fn check(&self, header: &Header) -> Result<()> {
        let own = self.header(header.now);
        let differs = |what: &str, expected: String, found: String| {
            Err(Error::config(format!(
                "saved rollout: expected {what} {expected}, found {found}; resume with the same experiment"
            )))
        };
        let span = |h: &Header| format!("{} from {}", h.instances, h.first_instance);
        if span(&own) != span(header) {
            return differs("instances", span(&own), span(header));
        }
        if own.wrappers != header.wrappers {
            let names = |h: &Header| format!("[{}]", h.wrappers.join(", "));
            return differs("world wrappers", names(&own), names(header));
        }
        if own.slabs != header.slabs {
            return Err(Error::config(
                "saved rollout: expected the spaces of this environment, found others; \
                 resume with the same experiment",
            ));
        }
        if header.now > self.plan.steps {
            let slots = format!("0 to {}", self.plan.steps);
            return differs("a slot of", slots, header.now.to_string());
        }
        Ok(())
    }
}

fn write_block(out: &mut dyn Write, bytes: &[u8]) -> Result<()> {
    out.write_all(&(bytes.len() as u64).to_le_bytes())?;
    Ok(out.write_all(bytes)?)
}

fn read_block(from: &mut impl Read) -> Result<Vec<u8>> {
    let mut len = [0; 8];
    from.read_exact(&mut len).map_err(short)?;
    let len = u64::from_le_bytes(len);
    // Grows as it reads: a wrong length takes no memory.
    let mut bytes = Vec::new();
    from.take(len).read_to_end(&mut bytes)?;
    if bytes.len() as u64 == len {
        Ok(bytes)
    } else {
        Err(short(io::ErrorKind::UnexpectedEof.into()))
    }
}

fn read_header(from: &mut impl BufRead) -> Result<Header> {
    let mut line = || -> Result<Vec<u8>> {
        let mut line = Vec::new();
        from.take(MAX_LINE).read_until(b'\n', &mut line)?;
        Ok(line)
    };
    let format = line()?;
    if format.trim_ascii_end() != FORMAT.as_bytes() {
        let found: String = String::from_utf8_lossy(&format).chars().take(40).collect();
        return Err(Error::config(format!(
            "saved rollout: expected {FORMAT:?}, found {:?}",
            found.trim_end()
        )));
    }
    serde_json::from_value(parse(&line()?)?)
        .map_err(|e| Error::config(format!("saved rollout: {e}")))
}

fn parse(bytes: &[u8]) -> Result<Value> {
    serde_json::from_slice(bytes).map_err(|e| Error::config(format!("saved rollout: {e}")))
}

#[cold]
fn short(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => {
            Error::config("saved rollout: expected more, found the end of the stream")
        }
        _ => error.into(),
    }
}

impl super::lane::Lane {
    /// What wrappers and books know of an instance of the shard.
    fn save(&self, instance: usize) -> Value {
        let wrappers = self.wrappers().iter().map(|w| w.save(instance));
        json!({
            "wrappers": wrappers.collect::<Value>(),
            "statistics": self.statistics().save(instance),
        })
    }

    fn load(&mut self, instance: usize, saved: &Value) -> Result<()> {
        let wrappers = exact::elements(saved, "wrappers", self.wrappers().len())?;
        for (wrapper, saved) in self.wrappers_mut().iter_mut().zip(wrappers) {
            wrapper.load(instance, saved)?;
        }
        self.statistics_mut()
            .load(instance, saved.get("statistics").unwrap_or(&Value::Null))
    }
}
