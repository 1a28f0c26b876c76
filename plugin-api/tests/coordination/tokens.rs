//! Activations are kept until they are used, dropped, or the mechanism ends: once, and never longer.

use palaestra_plugin_api::{
    ErrorKind,
    abi::{BackwardCall, CoordinationObject, ExchangeCall, MakeOptions, OK, Sink, Status, Text},
    client::Context,
    coordination::{Gradients, Mechanism as _},
};
use serde_json::json;

use super::{
    AGENTS, Call, ROWS, factory, make,
    mechanism::{ALIVE, Relay},
    spec,
};

#[test]
fn a_dropped_exchange_releases_its_activations() {
    let handle = make(json!({})).unwrap();
    let port = handle.port();
    let mut call = Call::new(&port, 1);
    let open = port.exchange(call.exchange(false, true)).unwrap();
    assert_eq!(ALIVE.get(), 1);
    drop(open);
    assert_eq!(ALIVE.get(), 0);
    // Nothing is kept that was not asked for.
    assert!(
        port.exchange(call.exchange(false, false))
            .unwrap()
            .is_none()
    );
    assert_eq!(ALIVE.get(), 0);
}

#[test]
fn a_refused_backward_releases_its_activations_too() {
    let handle = make(json!({})).unwrap();
    let port = handle.port();
    let mut call = Call::new(&port, 1);
    let open = port.exchange(call.exchange(false, true)).unwrap().unwrap();
    let error = open.backward(Gradients {
        d_inbox: &call.inbox[1..],
        d_state_out: None,
        d_messages: &mut call.messages,
        d_state_in: &mut call.state_in,
        d_parameters: &mut call.parameters,
    });
    let expected =
        "mechanism test/Relay-v0: (backward): d_inbox: expected 4 × 3 × 2 values, found 23";
    assert_eq!(error.unwrap_err().message, expected);
    assert_eq!(ALIVE.get(), 0);
}

#[test]
fn a_leaked_exchange_ends_with_the_mechanism() {
    let handle = make(json!({})).unwrap();
    let port = handle.port();
    let mut call = Call::new(&port, 1);
    for _ in 0..3 {
        std::mem::forget(port.exchange(call.exchange(false, true)).unwrap());
    }
    assert_eq!(ALIVE.get(), 3);
    drop(handle);
    assert_eq!(ALIVE.get(), 0);
}

#[test]
fn a_port_outlives_its_mechanism_closed() {
    let handle = make(json!({})).unwrap();
    let port = handle.port();
    let mut call = Call::new(&port, 1);
    let open = port.exchange(call.exchange(false, true)).unwrap();
    drop(handle);
    drop(open);
    let error = port.exchange(call.exchange(false, true)).unwrap_err();
    assert!(
        error.message.starts_with("mechanism test/Relay-v0: port: "),
        "{error}"
    );
}

/// An object without a handle: what a careless caller has.
struct Raw {
    object: CoordinationObject,
    call: Call,
    _context: Context,
}

impl Raw {
    fn new() -> Self {
        let handle = make(json!({})).unwrap();
        let call = Call::new(&handle.port(), 3);
        let request = json!({"id": Relay::ID, "config": {}, "spec": spec()}).to_string();
        let options = MakeOptions {
            size: size_of::<MakeOptions>() as u64,
            run_seed: 0,
            first_instance: 0,
            instances: 1,
            purpose: 0,
            exchange: std::ptr::null(),
        };
        let context = Context::default();
        let (this, vtable) = (std::ptr::null_mut(), std::ptr::null());
        let mut object = CoordinationObject { this, vtable };
        let host = context.raw();
        // SAFETY: all arguments live through the call, the context as long as the object.
        let (status, error) = with_error(|error| unsafe {
            (factory().make)(Text::new(&request), &host, &options, &mut object, error)
        });
        assert_eq!(status, OK, "{error}");
        Self {
            object,
            call,
            _context: context,
        }
    }

    fn exchange(&mut self, change: impl FnOnce(&mut ExchangeCall)) -> (Status, String, u64) {
        let (c, mut token) = (&mut self.call, 0);
        let mut raw = ExchangeCall {
            size: size_of::<ExchangeCall>() as u64,
            rows: ROWS as u64,
            agents: AGENTS as u64,
            parameters: c.parameters.as_ptr(),
            parameters_len: c.parameters.len() as u64,
            messages: c.messages.as_ptr(),
            mask: std::ptr::null(),
            context: std::ptr::null(),
            state_in: c.state_in.as_ptr(),
            keys: c.keys.as_ptr(),
            extras: c.extras.as_mut_ptr(),
            replay: 0,
            save: 1,
            inbox: c.inbox.as_mut_ptr(),
            state_out: c.state_out.as_mut_ptr(),
            token: &raw mut token,
        };
        change(&mut raw);
        // SAFETY: the object is alive; the arrays are as long as `Call::new` has made them.
        let (status, error) = with_error(|error| unsafe {
            ((*self.object.vtable).exchange)(self.object.this, &raw, error)
        });
        (status, error, token)
    }

    fn backward(&mut self, token: u64) -> (Status, String) {
        let mut c = self.call.clone();
        let raw = BackwardCall {
            size: size_of::<BackwardCall>() as u64,
            token,
            d_inbox: c.inbox.as_ptr(),
            d_state_out: std::ptr::null(),
            d_messages: c.messages.as_mut_ptr(),
            d_state_in: std::ptr::null_mut(),
            d_parameters: c.parameters.as_mut_ptr(),
        };
        // SAFETY: as above.
        with_error(|error| unsafe {
            ((*self.object.vtable).backward)(self.object.this, &raw, error)
        })
    }

    fn release(&mut self, token: u64) {
        // SAFETY: the object is alive.
        unsafe { ((*self.object.vtable).release)(self.object.this, token) };
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // SAFETY: the object is ours, and nothing uses it afterwards.
        unsafe { ((*self.object.vtable).destroy)(self.object.this) };
    }
}

fn with_error(body: impl FnOnce(*const Sink) -> Status) -> (Status, String) {
    let mut text = Vec::new();
    let status = body(&Sink::to_vec(&mut text));
    (status, String::from_utf8(text).unwrap())
}

#[test]
fn a_token_is_good_for_one_way_back() {
    let mut raw = Raw::new();
    let tokens: Vec<u64> = (0..4).map(|_| raw.exchange(|_| {}).2).collect();
    assert_eq!(tokens, [1, 2, 3, 4]);
    assert_eq!(raw.backward(2), (OK, String::new()));
    let used = "(backward): token: expected an open one, found 2, used or never given";
    assert_eq!(raw.backward(2), (ErrorKind::Host as Status, used.into()));
    raw.release(3);
    assert_eq!(raw.backward(3).0, ErrorKind::Host as Status);
    // A wrong token releases nothing and harms nobody.
    raw.release(3);
    raw.release(77);
    assert_eq!(raw.backward(77).0, ErrorKind::Host as Status);
    assert_eq!(ALIVE.get(), 2);
    assert_eq!(raw.backward(4).0, OK);
    assert_eq!(raw.backward(1).0, OK);
    assert_eq!(ALIVE.get(), 0);
}

#[test]
fn arrays_that_cannot_be_are_refused() {
    let mut raw = Raw::new();
    let mut refused = |change: fn(&mut ExchangeCall)| {
        let (status, error, token) = raw.exchange(change);
        assert_eq!((status, token), (ErrorKind::Host as Status, 0), "{error}");
        error
    };
    assert!(refused(|c| c.messages = std::ptr::null()).starts_with("(exchange): messages: "));
    assert!(refused(|c| c.inbox = std::ptr::null_mut()).starts_with("(exchange): inbox: "));
    assert!(refused(|c| c.token = std::ptr::null_mut()).starts_with("(exchange): token: "));
    assert!(refused(|c| c.parameters_len = 5).starts_with("(exchange): parameters: expected 8"));
    assert!(refused(|c| c.agents = 0).contains("at least one agent"));
    assert!(refused(|c| c.rows = u64::MAX).contains("expected rows"));
}
