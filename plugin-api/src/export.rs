//! `export_plugin!`: the one macro between a plain Rust crate and a loadable plugin.

/// Makes this crate a plugin: its root module, and the manifest that hosts read without running it.
///
/// ```ignore
/// export_plugin!(environments: [Pendulum, Acrobot], batch_environments: [CartPole]);
/// export_plugin!(algorithms: [Ppo], mechanisms: [Broadcast]);
/// ```
///
/// Sections may be left out, but keep this order.
#[macro_export]
macro_rules! export_plugin {
    (
        $(environments: [$($environment:ty),* $(,)?] $(,)?)?
        $(batch_environments: [$($batch:ty),* $(,)?] $(,)?)?
        $(algorithms: [$($algorithm:ty),* $(,)?] $(,)?)?
        $(mechanisms: [$($mechanism:ty),* $(,)?] $(,)?)?
    ) => {
        $($( $crate::__private::inventory::submit! { $crate::__private::EnvironmentEntry::of::<$environment>() } )*)?
        $($( $crate::__private::inventory::submit! { $crate::__private::EnvironmentEntry::of_batch::<$batch>() } )*)?
        $($( $crate::__private::inventory::submit! { $crate::__private::AlgorithmEntry::of::<$algorithm>() } )*)?
        $($( $crate::__private::inventory::submit! { $crate::__private::MechanismEntry::of::<$mechanism>() } )*)?

        const _: () = {
            use $crate::__private::{
                Part::{self, List, Quoted, Raw},
                abi_stable, manifest,
            };
            const PARTS: &[Part] = &[
                Raw("{\"palaestra\":1,\"abi\":{\"version\":"), Quoted($crate::abi::ABI_VERSION),
                Raw(",\"draft\":"), Raw(manifest::DRAFT),
                Raw("},\"plugin\":"), Quoted(env!("CARGO_PKG_NAME")),
                Raw(",\"version\":"), Quoted(env!("CARGO_PKG_VERSION")),
                Raw(",\"license\":"), Quoted(env!("CARGO_PKG_LICENSE")),
                Raw(",\"description\":"), Quoted(env!("CARGO_PKG_DESCRIPTION")),
                Raw(",\"panic\":"), Quoted(manifest::PANIC),
                Raw(",\"arch\":"), Quoted(std::env::consts::ARCH),
                Raw(",\"os\":"), Quoted(std::env::consts::OS),
                Raw(",\"profile\":"), Quoted(manifest::PROFILE),
                Raw(",\"door\":\"rust\",\"exports\":["),
                $($(
                    Raw("{\"kind\":\"environment\",\"id\":"),
                    Quoted(<$environment as $crate::environment::Environment>::ID),
                    Raw(",\"description\":"), Quoted(<$environment as $crate::environment::Environment>::DESCRIPTION),
                    Raw(",\"traces\":"), List(<$environment as $crate::environment::Environment>::TRACES),
                    Raw(",\"schema\":"),
                    Raw(<<$environment as $crate::environment::Environment>::Config as $crate::config::Config>::SCHEMA),
                    Raw("},"),
                )*)?
                $($(
                    Raw("{\"kind\":\"environment\",\"id\":"),
                    Quoted(<$batch as $crate::batch::BatchEnvironment>::ID),
                    Raw(",\"description\":"), Quoted(<$batch as $crate::batch::BatchEnvironment>::DESCRIPTION),
                    Raw(",\"traces\":"), List(<$batch as $crate::batch::BatchEnvironment>::TRACES),
                    Raw(",\"schema\":"),
                    Raw(<<$batch as $crate::batch::BatchEnvironment>::Config as $crate::config::Config>::SCHEMA),
                    Raw("},"),
                )*)?
                $($(
                    Raw("{\"kind\":\"algorithm\",\"id\":"),
                    Quoted(<$algorithm as $crate::algorithm::Algorithm>::ID),
                    Raw(",\"description\":"), Quoted(<$algorithm as $crate::algorithm::Algorithm>::DESCRIPTION),
                    Raw(",\"schema\":"),
                    Raw(<<$algorithm as $crate::algorithm::Algorithm>::Config as $crate::config::Config>::SCHEMA),
                    Raw("},"),
                )*)?
                $($(
                    Raw("{\"kind\":\"coordination\",\"id\":"),
                    Quoted(<$mechanism as $crate::coordination::Mechanism>::ID),
                    Raw(",\"description\":"), Quoted(<$mechanism as $crate::coordination::Mechanism>::DESCRIPTION),
                    Raw(",\"schema\":"),
                    Raw(<<$mechanism as $crate::coordination::Mechanism>::Config as $crate::config::Config>::SCHEMA),
                    Raw("},"),
                )*)?
                Raw("null]}"),
            ];
            const LEN: usize = manifest::len(PARTS);

            // Exported as well as `#[used]`: older compilers drop the latter from a cdylib.
            #[used]
            #[unsafe(export_name = "palaestra_plugin_manifest")]
            #[cfg_attr(target_os = "macos", unsafe(link_section = "__DATA,__rlmeta"))]
            #[cfg_attr(not(target_os = "macos"), unsafe(link_section = ".rlmeta"))]
            static MANIFEST: [u8; LEN] = manifest::join::<LEN>(PARTS);

            unsafe extern "C" fn write_manifest(
                out: *const $crate::abi::Sink,
                error: *const $crate::abi::Sink,
            ) -> $crate::abi::Status {
                // SAFETY: the sinks are those of the call.
                unsafe { $crate::__private::root::manifest(&MANIFEST, out, error) }
            }

            fn root() -> $crate::abi::PluginRootRef {
                use abi_stable::prefix_type::PrefixTypeTrait as _;
                $crate::abi::PluginRoot {
                    manifest: write_manifest,
                    init: $crate::__private::root::init,
                    extension: $crate::__private::root::extension,
                }
                .leak_into_prefix()
            }

            // What `#[export_root_module]` would expand to, without making authors depend on abi_stable.
            #[unsafe(export_name = "_1as_0lib_1header_0root_bmodule_bloader")]
            static HEADER: abi_stable::library::LibHeader = {
                extern "C" fn erased() -> abi_stable::library::RootModuleResult {
                    abi_stable::library::__call_root_module_loader(root)
                }
                // SAFETY: `erased` gives the root module of the type named here.
                unsafe {
                    abi_stable::library::LibHeader::from_constructor::<$crate::abi::PluginRootRef>(
                        erased,
                        abi_stable::library::CheckTypeLayout::Yes,
                    )
                }
            };
        };
    };
}
