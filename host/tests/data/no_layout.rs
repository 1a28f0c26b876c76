//! A plugin whose header carries no type layouts. Nothing of it can be checked, so hosts refuse it.

use palaestra_plugin_api::__private::{abi_stable, root};
use palaestra_plugin_api::abi::{OK, PluginRoot, PluginRootRef, Sink, Status};

const TEXT: &[u8] = br#"{"palaestra":1,"abi":{"version":"1.0","draft":1},"plugin":"no-layout","version":"0.1.0",
"panic":"unwind","arch":"x86_64","os":"linux","door":"rust","exports":[{"kind":"environment","id":"no/Layout-v0"}]}"#;

#[used]
#[unsafe(export_name = "palaestra_plugin_manifest")]
#[unsafe(link_section = ".rlmeta")]
static MANIFEST: [u8; TEXT.len()] = {
    let mut bytes = [0; TEXT.len()];
    bytes.copy_from_slice(TEXT);
    bytes
};

unsafe extern "C" fn manifest(_out: *const Sink, _error: *const Sink) -> Status {
    OK
}

fn root() -> PluginRootRef {
    use abi_stable::prefix_type::PrefixTypeTrait as _;
    PluginRoot {
        manifest,
        init: root::init,
        extension: root::extension,
    }
    .leak_into_prefix()
}

#[unsafe(export_name = "_1as_0lib_1header_0root_bmodule_bloader")]
static HEADER: abi_stable::library::LibHeader = {
    extern "C" fn erased() -> abi_stable::library::RootModuleResult {
        abi_stable::library::__call_root_module_loader(root)
    }
    // SAFETY: `erased` gives the root module of the type named here.
    unsafe {
        abi_stable::library::LibHeader::from_constructor::<PluginRootRef>(
            erased,
            abi_stable::library::CheckTypeLayout::No,
        )
    }
};
