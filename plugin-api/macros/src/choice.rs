//! `#[config]` on an enum of unit variants.

use proc_macro2::TokenStream;
use quote::quote;

use crate::parse::EnumModel;

/// The enum with its attributes, and its implementations.
pub(crate) fn expand(model: &EnumModel) -> TokenStream {
    let item = attributed(model);
    let name = &model.item.ident;
    let description = &model.description;
    let idents: Vec<_> = model.variants.iter().map(|v| &v.ident).collect();
    let names: Vec<_> = model.variants.iter().map(|v| &v.name).collect();
    let descriptions = model.variants.iter().map(|v| &v.description);
    let (default, default_name) = (idents[model.default], names[model.default]);
    let config = crate::config_impl(name);
    quote! {
        #item

        const _: () = {
            use ::palaestra_plugin_api::config as __config;

            #[automatically_derived]
            impl ::core::default::Default for #name {
                fn default() -> Self {
                    Self::#default
                }
            }

            #[automatically_derived]
            impl __config::ConfigType for #name {
                const SHAPE: __config::Schema = __config::Schema {
                    description: #description,
                    ..__config::Schema::of(__config::Kind::Choice(&[#(
                        __config::Choice { name: #names, description: #descriptions }
                    ),*]))
                };
                const DEFAULT: __config::Json = __config::Json::String(#default_name);

                fn check(
                    &self,
                    _: &__config::Schema,
                    _: &__config::Pointer<'_>,
                ) -> ::core::result::Result<(), ::std::string::String> {
                    ::core::result::Result::Ok(())
                }
            }

            /// The variant `C` as JSON.
            #[doc(hidden)]
            #[allow(unreachable_pub)]
            pub struct __Variant<C>(::core::marker::PhantomData<C>);

            impl<C: __config::Constant<#name>> __config::Constant<__config::Json> for __Variant<C> {
                const VALUE: __config::Json = __config::Json::String(match C::VALUE {
                    #(#name::#idents => #names,)*
                });
            }

            #[automatically_derived]
            impl __config::Scalar for #name {
                type Literal = #name;
                type Json<C: __config::Constant<#name>> = __Variant<C>;

                fn from_literal(literal: #name) -> Self {
                    literal
                }
            }
        };

        #config
    }
}

/// The enum with the derives and what tells serde and schemars the same as the constants.
fn attributed(model: &EnumModel) -> TokenStream {
    let mut item = model.item.clone();
    for (variant, model) in item.variants.iter_mut().zip(&model.variants) {
        let description = &model.description;
        variant
            .attrs
            .push(syn::parse_quote!(#[schemars(title = "", description = #description)]));
    }
    let description = &model.description;
    quote! {
        #[derive(
            ::core::clone::Clone,
            ::core::marker::Copy,
            ::core::fmt::Debug,
            ::core::cmp::PartialEq,
            ::core::cmp::Eq,
            ::palaestra_plugin_api::serde::Serialize,
            ::palaestra_plugin_api::serde::Deserialize,
            ::palaestra_plugin_api::schemars::JsonSchema,
        )]
        #[serde(crate = "::palaestra_plugin_api::serde", rename_all = "snake_case")]
        #[schemars(
            crate = "::palaestra_plugin_api::schemars",
            inline,
            title = "",
            description = #description,
            transform = ::palaestra_plugin_api::config::testing::plain_enum,
        )]
        #item
    }
}
