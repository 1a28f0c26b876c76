//! The `#[config]` attribute of `palaestra-plugin-api`; authors use it from there.
//!
//! `parse` reads the item and its `#[config(..)]` attributes and refuses what a config cannot be, `doc`
//! turns doc comments into descriptions, `value` turns defaults and bounds into constants, `structure` and
//! `choice` write the implementations for a struct and a unit enum.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

mod choice;
mod doc;
mod parse;
mod structure;
#[cfg(test)]
mod tests;
mod value;

/// Makes a struct the settings of a plugin, or a unit enum the type of a setting.
///
/// On a struct, each field has a doc comment (its description) and may have `#[config(..)]` with
///
/// - `default = VALUE`: a number, a bool, a string, a variant of a `#[config]` enum, a constant expression of
///   those, or `[..]`, `[x; n]`, `vec![..]`, `Some(..)`, `None` of those; for a `Rate` a number or
///   `Rate::linear(from, to, steps)`; without it the type's own default;
/// - `range = a..=b`, `a..`, `..=b`, `a..b` or `..b` (without b), and `above = a` (without a): for numbers, also in an
///   `Option`; a default outside the range does not compile.
///
/// On an enum, each variant has a doc comment and is a `snake_case` string in JSON; the first variant, or the
/// one marked `#[config(default)]`, is the default.
///
/// The type gets `Clone`, `Debug`, `PartialEq`, `Default`, serde's and schemars' traits and
/// `palaestra_plugin_api::config::Config`; an enum is `Copy` and `Eq` too. A test is generated that compares
/// the constant schema with schemars'.
#[proc_macro_attribute]
pub fn config(
    arguments: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    expand(arguments.into(), item.into()).into()
}

/// The whole macro; on an error the bare item follows it, so that its users raise no second one.
fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    match parse::item(arguments, item.clone()) {
        Ok(parse::Item::Struct(model)) => structure::expand(&model),
        Ok(parse::Item::Enum(model)) => choice::expand(&model),
        Err(error) => {
            let error = error.into_compile_error();
            let bare = parse::without_options(item);
            quote! { #error #bare }
        }
    }
}

/// `Config` for a type that has `ConfigType`, and the test against schemars.
fn config_impl(name: &syn::Ident) -> TokenStream {
    let title = name.to_string();
    let title = title.trim_start_matches("r#");
    let test = format_ident!("config_schema_of_{}_matches_schemars", snake_case(title));
    quote! {
        const _: () = {
            use ::palaestra_plugin_api::config as __config;

            #[automatically_derived]
            impl __config::Config for #name {
                const SCHEMA: &'static str = {
                    const SHAPE: __config::Schema = <#name as __config::ConfigType>::SHAPE;
                    const BYTES: [u8; __config::text::schema_length(#title, &SHAPE)] =
                        __config::text::schema(#title, &SHAPE);
                    __config::text::as_text(&BYTES)
                };
            }
        };

        #[cfg(test)]
        #[test]
        fn #test() {
            ::palaestra_plugin_api::config::testing::assert_matches_schemars::<#name>();
        }
    }
}

/// `RewardKind` to `reward_kind`, as serde's `rename_all = "snake_case"`.
fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for (i, letter) in name.char_indices() {
        if i > 0 && letter.is_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}
