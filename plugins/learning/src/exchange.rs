//! Messages inside a policy network: a mechanism's exchange as one operation of the tape.
//!
//! The mechanism, anybody's plugin, turns the messages of all agents of a row into their inboxes and later turns the
//! gradient by the inboxes into those by messages and by its own parameters. Its [parameters](ChannelParameters) are
//! stored here, beside the policy's: one optimiser, one norm, one file.
//!
//! A row is one (step, instance) with all agents of all units. A mechanism with a state (a delay line) is called once a
//! step, and the gradient flows back through its states to the first step of the sequence; one without is called once
//! for all steps.

use std::sync::{Arc, Mutex, PoisonError};

use dfdx::prelude::HasShape;
use palaestra_plugin_api::{
    Error, Result,
    coordination::{
        Exchange, ExchangePort, Extras, Gradients as PortGradients, MechanismDescription,
        OpenExchange,
    },
    table::Table,
};

mod parameters;
mod places;

pub use parameters::ChannelParameters;
pub use places::Places;

use crate::context::Context;
use crate::device::Backend;
use crate::networks::Module;
use crate::tensor::{Matrix, Merge, PutTape, SplitTape, Tape, matrix, values};

/// The way to a mechanism from a policy.
#[derive(Clone, Debug)]
pub struct Channel {
    port: ExchangePort,
    agents: usize,
    /// What the mechanism refused on the way back: the tape can only tell errors of its device.
    failed: Arc<Mutex<Option<Error>>>,
}

/// One exchange without a tape: what acting does. Arrays as in [`Exchange`].
pub struct Round<'a> {
    /// The mechanism's parameters, flat.
    pub parameters: &'a [f32],
    /// `[rows, agents, message_width]`.
    pub messages: &'a [f32],
    /// `[rows, agents]`.
    pub mask: &'a [u8],
    /// The rows' slabs.
    pub context: Option<&'a Table<'a>>,
    /// `[rows, agents, state_width]`.
    pub state_in: &'a [f32],
    /// `[rows]`.
    pub keys: &'a [u64],
    /// Out `[rows, extras_width]`: what the channel draws.
    pub extras: &'a mut [f32],
    /// Out `[rows, agents, inbox_width]`.
    pub inbox: &'a mut [f32],
    /// Out `[rows, agents, state_width]`.
    pub state_out: &'a mut [f32],
}

/// What a recorded sequence of rounds goes with; rows are `[steps·n]`, time-major.
#[derive(Clone, Copy)]
pub struct Recorded<'a> {
    /// Steps of the sequence.
    pub steps: usize,
    /// `[rows, agents]`: who takes part.
    pub mask: &'a [u8],
    /// `[rows]`.
    pub keys: &'a [u64],
    /// `[rows, extras_width]`: what the channel drew when acting.
    pub extras: &'a [f32],
    /// Slabs of the fragment, and which of its rows these are.
    pub context: Option<(&'a Context, &'a [usize])>,
    /// `[n, agents, state_width]`: the state in front of the first step.
    pub state: &'a [f32],
    /// `[rows, agents]`: 1 where an agent's episode starts, and its state is cleared.
    pub first: &'a [u8],
}

/// The messages of one unit, `[rows·members, message_width]`, and the places of its members in a joint row.
pub struct Outbox<'a, D: Backend, T> {
    /// The matrix.
    pub messages: Matrix<D, T>,
    /// Place of each member among all agents.
    pub places: &'a [usize],
}

impl Channel {
    /// The way through a port, for so many agents.
    #[must_use]
    pub fn new(port: ExchangePort, agents: usize) -> Self {
        Self {
            port,
            agents,
            failed: Arc::default(),
        }
    }

    /// Widths and parameters.
    #[must_use]
    pub fn description(&self) -> &MechanismDescription {
        self.port.description()
    }

    /// Agents of a row.
    #[must_use]
    pub fn agents(&self) -> usize {
        self.agents
    }

    /// Exchanges without a tape, drawing what the channel draws.
    ///
    /// # Errors
    /// Sizes do not fit; whatever the mechanism refuses.
    pub fn infer(&self, round: Round<'_>) -> Result<()> {
        self.port.exchange(Exchange {
            rows: round.keys.len(),
            agents: self.agents,
            parameters: round.parameters,
            messages: round.messages,
            mask: Some(round.mask),
            context: round.context,
            state_in: round.state_in,
            keys: round.keys,
            extras: Extras::Draw(round.extras),
            save: false,
            inbox: round.inbox,
            state_out: round.state_out,
        })?;
        Ok(())
    }

    /// The inboxes of all units, `[rows·members, inbox_width]`, on the tape of all messages (it goes with the first).
    ///
    /// After the backward pass ask [`checked`](Self::checked) whether the mechanism refused it.
    ///
    /// # Errors
    /// Sizes do not fit, there is no message, or whatever the mechanism refuses.
    pub fn exchange<D: Backend, T: Tape<f32, D> + Merge<T>>(
        &self,
        parameters: &ChannelParameters<D>,
        outboxes: Vec<Outbox<'_, D, T>>,
        recorded: &Recorded<'_>,
    ) -> Result<Vec<Matrix<D, T>>> {
        let widths = self.description();
        let (sent, heard) = (widths.message_width, widths.inbox_width);
        let rows = recorded.keys.len();
        let mut joint = vec![0.0; rows * self.agents * sent];
        let mut sources = Vec::with_capacity(outboxes.len());
        let mut tape = T::default();
        for Outbox { messages, places } in outboxes {
            let (messages, recorded) = messages.split_tape();
            tape = tape.merge(recorded);
            self.check(messages.shape(), rows * places.len(), sent)?;
            let unit = Places::new(places, self.agents);
            unit.into_joint(&values(&messages), &mut joint, sent);
            sources.push((messages, unit));
        }
        let Some(device) = sources.first().map(|(m, _)| m.device().clone()) else {
            return Err(Error::plugin("exchange: expected ≥ 1 outboxes, found none"));
        };

        let flat = parameters.flat();
        let mut inbox = vec![0.0; rows * self.agents * heard];
        let open = self.forward(recorded, &flat, &joint, &mut inbox, T::OWNS_TAPE)?;
        let mut inboxes = Vec::with_capacity(sources.len());
        for (_, unit) in &sources {
            let mut part = vec![0.0; rows * unit.places.len() * heard];
            unit.out_of_joint(&inbox, &mut part, heard);
            inboxes.push(matrix(&device, part, rows * unit.places.len(), heard)?);
        }
        if T::OWNS_TAPE {
            let way_back = WayBack {
                sent,
                heard,
                agents: self.agents,
                rows,
                open,
                first: recorded.first.to_vec(),
                state_width: widths.state_width,
                parameters: flat.len(),
            };
            let outputs: Vec<_> = inboxes.to_vec();
            let learned: Vec<_> = parameters
                .parts
                .iter()
                .map(|(_, p)| p.values.clone())
                .collect();
            let failed = self.failed.clone();
            tape.add_backward_op(move |gradients| {
                let mut d_inbox = vec![0.0; rows * way_back.agents * heard];
                for (ghost, (_, unit)) in outputs.iter().zip(&sources) {
                    unit.into_joint(&D::gradient_of(gradients, ghost)?, &mut d_inbox, heard);
                }
                match way_back.run(&d_inbox) {
                    Err(error) => {
                        let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
                        failed.get_or_insert(error);
                    }
                    Ok((d_messages, d_parameters)) => {
                        for (messages, unit) in &sources {
                            let mut part = vec![0.0; rows * unit.places.len() * sent];
                            unit.out_of_joint(&d_messages, &mut part, sent);
                            D::add_gradient(gradients, messages, part)?;
                        }
                        let mut rest = d_parameters.as_slice();
                        for parameter in &learned {
                            let (part, after) = rest.split_at(parameter.shape().0);
                            D::add_gradient(gradients, parameter, part.to_vec())?;
                            rest = after;
                        }
                    }
                }
                Ok(())
            });
        }
        let mut tape = Some(tape);
        Ok(inboxes
            .into_iter()
            .map(|inbox| inbox.put_tape(tape.take().unwrap_or_default()))
            .collect())
    }

    /// What the mechanism refused in a backward pass since the last time it was asked.
    ///
    /// # Errors
    /// Just that.
    pub fn checked(&self) -> Result<()> {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.take().map_or(Ok(()), Err)
    }

    /// All rounds in order; with `save`, the way back through each.
    fn forward(
        &self,
        recorded: &Recorded<'_>,
        parameters: &[f32],
        messages: &[f32],
        inbox: &mut [f32],
        save: bool,
    ) -> Result<Vec<OpenExchange>> {
        let d = self.description();
        let width = d.state_width;
        // Without a state rows do not depend on each other.
        let steps = if width == 0 { 1 } else { recorded.steps };
        let rows = recorded.keys.len() / steps.max(1);
        let each = rows * self.agents;
        if steps == 0 || rows * steps != recorded.keys.len() || recorded.state.len() != each * width
        {
            return Err(Error::plugin(format!(
                "exchange: expected a whole number of {} steps with a state of {width} values per agent, found {} rows and {} values",
                recorded.steps,
                recorded.keys.len(),
                recorded.state.len()
            )));
        }
        let mut open = Vec::with_capacity(steps);
        let mut state = recorded.state.to_vec();
        let mut next = vec![0.0; each * width];
        for t in 0..steps {
            let agents = t * each..(t + 1) * each;
            let chosen = t * rows..(t + 1) * rows;
            if width > 0 {
                clear(&mut state, &recorded.first[agents.clone()], width);
            }
            let gathered = match recorded.context {
                Some((context, all)) => Some(context.gather(&all[chosen.clone()])?),
                None => None,
            };
            let context = gathered.as_ref().map(|rows| rows.table()).transpose()?;
            let round = self.port.exchange(Exchange {
                rows,
                agents: self.agents,
                parameters,
                messages: part(messages, &agents, d.message_width),
                mask: Some(&recorded.mask[agents.clone()]),
                context: context.as_ref(),
                state_in: &state,
                keys: &recorded.keys[chosen.clone()],
                extras: Extras::Replay(part(recorded.extras, &chosen, d.extras_width)),
                save,
                inbox: &mut inbox[agents.start * d.inbox_width..agents.end * d.inbox_width],
                state_out: &mut next,
            })?;
            open.extend(round);
            std::mem::swap(&mut state, &mut next);
        }
        Ok(open)
    }

    fn check(&self, found: &(usize, usize), rows: usize, width: usize) -> Result<()> {
        if *found == (rows, width) {
            return Ok(());
        }
        Err(Error::plugin(format!(
            "exchange: expected messages [{rows}, {width}], found {found:?}"
        )))
    }
}

/// All rounds of a sequence, to be gone back through in the opposite order.
struct WayBack {
    sent: usize,
    heard: usize,
    agents: usize,
    rows: usize,
    open: Vec<OpenExchange>,
    first: Vec<u8>,
    state_width: usize,
    parameters: usize,
}

impl WayBack {
    /// Gradients by messages and parameters.
    fn run(self, d_inbox: &[f32]) -> Result<(Vec<f32>, Vec<f32>)> {
        let each = self.rows / self.open.len().max(1) * self.agents;
        let mut d_messages = vec![0.0; self.rows * self.agents * self.sent];
        let mut d_parameters = vec![0.0; self.parameters];
        let mut d_state_out: Option<Vec<f32>> = None;
        for (t, open) in self.open.into_iter().enumerate().rev() {
            let agents = t * each..(t + 1) * each;
            let mut d_state_in = vec![0.0; each * self.state_width];
            open.backward(PortGradients {
                d_inbox: part(d_inbox, &agents, self.heard),
                d_state_out: d_state_out.as_deref(),
                d_messages: &mut d_messages[agents.start * self.sent..agents.end * self.sent],
                d_state_in: &mut d_state_in,
                d_parameters: &mut d_parameters,
            })?;
            if self.state_width > 0 {
                clear(&mut d_state_in, &self.first[agents], self.state_width);
                d_state_out = Some(d_state_in);
            }
        }
        Ok((d_messages, d_parameters))
    }
}

fn part<'a>(values: &'a [f32], range: &std::ops::Range<usize>, width: usize) -> &'a [f32] {
    &values[range.start * width..range.end * width]
}

/// Zeros the rows whose flag is set.
fn clear(rows: &mut [f32], flags: &[u8], width: usize) {
    for (row, &flag) in rows.chunks_exact_mut(width).zip(flags) {
        if flag != 0 {
            row.fill(0.0);
        }
    }
}

#[cfg(test)]
mod tests;
