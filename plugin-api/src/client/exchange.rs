//! The caller's side of a mechanism's exchange port: slices in, slices out.
//!
//! Algorithms get an [`ExchangePort`] with their setting; hosts and tests take one from a handle.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::call::call;
use crate::{
    abi::{BackwardCall, CoordinationObject, CoordinationVtable, ExchangeCall, SlabTable},
    coordination::{Exchange, Extras, MechanismDescription},
    error::{Error, ErrorKind, Result},
};

/// The way to a mechanism object: one call at a time, and none while it is closed.
pub(crate) struct Link {
    object: Mutex<Option<CoordinationObject>>,
}

// SAFETY: an object may move between threads, and the lock admits one call at a time.
unsafe impl Send for Link {}
// SAFETY: as above.
unsafe impl Sync for Link {}

impl Link {
    /// A link to an object, or a closed one.
    ///
    /// # Safety
    /// The object must be alive, and called by nobody else, until the link is closed.
    pub(crate) unsafe fn new(object: Option<CoordinationObject>) -> Arc<Self> {
        let object = Mutex::new(object);
        Arc::new(Self { object })
    }

    /// Excludes all other calls on the object; closes the link when set to none.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Option<CoordinationObject>> {
        // No call panics with the lock held.
        self.object.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Functions of an object.
///
/// # Safety
/// The object must be alive.
pub(crate) unsafe fn vtable(object: &CoordinationObject) -> &'static CoordinationVtable {
    // SAFETY: forwarded from the caller; vtables are static.
    unsafe { &*object.vtable }
}

/// The first element; null without any, as the ABI says absent arrays.
fn first<T>(slice: &[T]) -> *const T {
    slice.first().map_or(std::ptr::null(), |_| slice.as_ptr())
}

fn first_mut<T>(slice: &mut [T]) -> *mut T {
    if slice.is_empty() {
        return std::ptr::null_mut();
    }
    slice.as_mut_ptr()
}

/// Exchanges messages with a mechanism, whoever made it. Clones lead to the same object.
///
/// An algorithm's port works during the calls of that algorithm and is closed in between.
#[derive(Clone)]
pub struct ExchangePort {
    link: Arc<Link>,
    description: Arc<MechanismDescription>,
}

impl std::fmt::Debug for ExchangePort {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ExchangePort")
            .field(&self.description.id)
            .finish()
    }
}

impl ExchangePort {
    pub(crate) fn new(link: Arc<Link>, description: Arc<MechanismDescription>) -> Self {
        Self { link, description }
    }

    /// Widths and parameters.
    pub fn description(&self) -> &MechanismDescription {
        &self.description
    }

    /// Runs one exchange; with `save`, the activations to go back through.
    ///
    /// # Errors
    /// A slice of the wrong length, before the mechanism is called; whatever the mechanism refuses; a closed
    /// port.
    pub fn exchange(&self, call: Exchange<'_>) -> Result<Option<OpenExchange>> {
        self.check(&call)?;
        let Exchange { rows, agents, .. } = call;
        let slabs = call.context.map(|table| table.slabs());
        let context = slabs.as_ref().map(|s| SlabTable {
            slabs: s.as_ptr(),
            len: s.len() as u64,
        });
        let (extras, replay) = match call.extras {
            Extras::Draw(values) => (values.as_mut_ptr(), 0),
            // Read only, with `replay`.
            Extras::Replay(values) => (values.as_ptr().cast_mut(), 1),
        };
        let mut token = 0;
        let raw = ExchangeCall {
            size: size_of::<ExchangeCall>() as u64,
            rows: rows as u64,
            agents: agents as u64,
            parameters: call.parameters.as_ptr(),
            parameters_len: call.parameters.len() as u64,
            messages: call.messages.as_ptr(),
            mask: call.mask.map_or(std::ptr::null(), <[u8]>::as_ptr),
            context: context
                .as_ref()
                .map_or(std::ptr::null(), std::ptr::from_ref),
            state_in: first(call.state_in),
            keys: call.keys.as_ptr(),
            extras,
            replay,
            save: u32::from(call.save),
            inbox: call.inbox.as_mut_ptr(),
            state_out: first_mut(call.state_out),
            token: &raw mut token,
        };
        self.call(|object, error| {
            // SAFETY: the link's object is alive, and every pointer is a checked slice that lives through the call.
            unsafe { (vtable(object).exchange)(object.this, &raw, error) }
        })?;
        if !call.save {
            return Ok(None);
        }
        if token == 0 {
            let message = "(exchange): expected a token for the saved activations, found 0";
            return Err(self.named(Error::plugin(message)));
        }
        Ok(Some(OpenExchange {
            port: self.clone(),
            token,
            rows,
            agents,
        }))
    }

    fn check(&self, call: &Exchange<'_>) -> Result<()> {
        let d = &*self.description;
        let Exchange { rows, agents, .. } = *call;
        let whole = (rows, 1);
        let each = (rows, agents);
        let lengths = [
            (
                "parameters",
                call.parameters.len(),
                (1, 1),
                d.parameters_len(),
            ),
            ("messages", call.messages.len(), each, d.message_width),
            (
                "mask",
                call.mask.map_or(rows * agents, <[u8]>::len),
                each,
                1,
            ),
            ("state_in", call.state_in.len(), each, d.state_width),
            ("keys", call.keys.len(), whole, 1),
            ("extras", call.extras.values().len(), whole, d.extras_width),
            ("inbox", call.inbox.len(), each, d.inbox_width),
            ("state_out", call.state_out.len(), each, d.state_width),
        ];
        lengths
            .into_iter()
            .try_for_each(|length| self.length("exchange", length))?;
        let context = call.context.filter(|table| table.instances() != rows);
        match context {
            Some(table) if table.instances() > 0 => {
                let found = table.instances();
                let message = format!("(exchange): context: expected {rows} rows, found {found}");
                Err(self.named(Error::new(ErrorKind::Plugin, message)))
            }
            _ => Ok(()),
        }
    }

    /// Compares a length with rows × agents × width.
    fn length(&self, operation: &str, of: (&str, usize, (usize, usize), usize)) -> Result<()> {
        let (name, found, (rows, agents), width) = of;
        let expected = rows.checked_mul(agents).and_then(|n| n.checked_mul(width));
        if expected == Some(found) {
            return Ok(());
        }
        let message = format!(
            "({operation}): {name}: expected {rows} × {agents} × {width} values, found {found}"
        );
        Err(self.named(Error::plugin(message)))
    }

    fn call(
        &self,
        body: impl FnOnce(&CoordinationObject, *const crate::abi::Sink) -> crate::abi::Status,
    ) -> Result<()> {
        let object = self.link.lock();
        let Some(object) = &*object else {
            let message = "port: expected a call during those of its owner, found it closed";
            return Err(self.named(Error::plugin(message)));
        };
        call(|error| body(object, error)).map_err(|e| self.named(e))
    }

    fn named(&self, error: Error) -> Error {
        match self.description.id.as_str() {
            "" => error.within("mechanism"),
            id => error.within(format_args!("mechanism {id}")),
        }
    }
}

/// Activations of one exchange, kept by the mechanism until they are used or dropped.
#[derive(Debug)]
pub struct OpenExchange {
    port: ExchangePort,
    token: u64,
    rows: usize,
    agents: usize,
}

/// Gradients of one exchange: by its outputs, and by its inputs.
pub struct Gradients<'a> {
    /// `[rows, agents, inbox_width]`: gradient of the loss by the inbox.
    pub d_inbox: &'a [f32],
    /// `[rows, agents, state_width]` by `state_out`; none: zero.
    pub d_state_out: Option<&'a [f32]>,
    /// Out `[rows, agents, message_width]`.
    pub d_messages: &'a mut [f32],
    /// Out `[rows, agents, state_width]`; empty without a state.
    pub d_state_in: &'a mut [f32],
    /// Added to: `[parameters]`.
    pub d_parameters: &'a mut [f32],
}

impl OpenExchange {
    /// Goes back through the exchange, once.
    ///
    /// # Errors
    /// A slice of the wrong length; whatever the mechanism refuses; a closed port.
    pub fn backward(mut self, gradients: Gradients<'_>) -> Result<()> {
        let d = &*self.port.description;
        let each = (self.rows, self.agents);
        let state_len = self.rows * self.agents * d.state_width;
        let d_state_out = gradients.d_state_out;
        let lengths = [
            ("d_inbox", gradients.d_inbox.len(), each, d.inbox_width),
            (
                "d_state_out",
                d_state_out.map_or(state_len, <[f32]>::len),
                each,
                d.state_width,
            ),
            (
                "d_messages",
                gradients.d_messages.len(),
                each,
                d.message_width,
            ),
            (
                "d_state_in",
                gradients.d_state_in.len(),
                each,
                d.state_width,
            ),
            (
                "d_parameters",
                gradients.d_parameters.len(),
                (1, 1),
                d.parameters_len(),
            ),
        ];
        // Refused here, the token is still open, and released when `self` goes.
        lengths
            .into_iter()
            .try_for_each(|length| self.port.length("backward", length))?;
        let raw = BackwardCall {
            size: size_of::<BackwardCall>() as u64,
            token: std::mem::take(&mut self.token),
            d_inbox: gradients.d_inbox.as_ptr(),
            d_state_out: d_state_out.map_or(std::ptr::null(), <[f32]>::as_ptr),
            d_messages: gradients.d_messages.as_mut_ptr(),
            d_state_in: first_mut(gradients.d_state_in),
            d_parameters: gradients.d_parameters.as_mut_ptr(),
        };
        self.port.call(|object, error| {
            // SAFETY: as for `exchange`.
            unsafe { (vtable(object).backward)(object.this, &raw, error) }
        })
    }

    /// Rows and agents of the exchange.
    pub fn rows_and_agents(&self) -> (usize, usize) {
        (self.rows, self.agents)
    }
}

impl Drop for OpenExchange {
    fn drop(&mut self) {
        if self.token == 0 {
            return;
        }
        // A closed link leaves the activations to the end of the mechanism.
        if let Some(object) = &*self.port.link.lock() {
            // SAFETY: the link's object is alive, and the token is ours.
            unsafe { (vtable(object).release)(object.this, self.token) };
        }
    }
}
