//! `#[config]` on a struct.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};

use crate::parse::{Bound, FieldModel, StructModel};
use crate::value::{Constants, Written};

/// The struct with its attributes, and its implementations.
pub(crate) fn expand(model: &StructModel) -> TokenStream {
    let item = attributed(model);
    let name = &model.item.ident;
    let description = &model.description;
    let mut constants = Constants::default();
    let defaults: Vec<_> = model
        .fields
        .iter()
        .map(|f| default(f, &mut constants))
        .collect();
    let properties: Vec<_> = model
        .fields
        .iter()
        .zip(&defaults)
        .map(|(f, default)| property(f, default, &mut constants))
        .collect();
    let items = &constants.items;
    let idents: Vec<_> = model.fields.iter().map(|f| &f.ident).collect();
    let names = model.fields.iter().map(|f| &f.name);
    let values = defaults.iter().map(|d| &d.value);
    let jsons = defaults.iter().map(|d| &d.json);
    let indices = 0..model.fields.len();
    let checks = model.fields.iter().enumerate().map(|(i, f)| {
        let complaint = format!(
            "{name}::{}: expected a finite default within the range",
            f.name
        );
        quote_spanned! {f.ident.span()=>
            const _: () = assert!(__config::default_in_range(&__PROPERTIES[#i]), #complaint);
        }
    });
    let config = crate::config_impl(name);
    quote! {
        #item

        const _: () = {
            use ::palaestra_plugin_api::config as __config;

            #(#items)*

            const __PROPERTIES: &[__config::Property] = &[#(#properties),*];
            #(#checks)*

            #[automatically_derived]
            impl ::core::default::Default for #name {
                fn default() -> Self {
                    Self { #(#idents: #values),* }
                }
            }

            #[automatically_derived]
            impl __config::ConfigType for #name {
                const SHAPE: __config::Schema = __config::Schema {
                    description: #description,
                    ..__config::Schema::of(__config::Kind::Object(__PROPERTIES))
                };
                const DEFAULT: __config::Json = __config::Json::Object(&[#((#names, #jsons)),*]);

                #[allow(unused_variables)]
                fn check(
                    &self,
                    schema: &__config::Schema,
                    at: &__config::Pointer<'_>,
                ) -> ::core::result::Result<(), ::std::string::String> {
                    #(__config::check_field(&self.#idents, &__PROPERTIES[#indices], at)?;)*
                    ::core::result::Result::Ok(())
                }
            }
        };

        #config
    }
}

/// The default of a field: as written, or its type's.
fn default(field: &FieldModel, constants: &mut Constants) -> Written {
    let ty = &field.ty;
    match &field.options.default {
        Some(expr) => constants.written(expr, &quote!(#ty)),
        None => Written {
            json: quote!(<#ty as __config::ConfigType>::DEFAULT),
            value: quote!(::core::default::Default::default()),
        },
    }
}

/// The constant `Property` of a field.
fn property(field: &FieldModel, default: &Written, constants: &mut Constants) -> TokenStream {
    let FieldModel {
        name,
        ty,
        description,
        options,
        ..
    } = field;
    let json = &default.json;
    let bounds = options.bounds.iter().map(|Bound { side, value }| {
        let member = format_ident!("{}", crate::snake_case(side.keyword()));
        let bound = constants.bound(value, &quote!(#ty));
        quote!(#member: ::core::option::Option::Some(#bound),)
    });
    quote! {
        __config::Property {
            name: #name,
            schema: __config::Schema {
                description: #description,
                default: ::core::option::Option::Some(#json),
                #(#bounds)*
                ..<#ty as __config::ConfigType>::SHAPE
            },
        }
    }
}

/// The struct with the derives and what tells serde and schemars the same as the constants.
fn attributed(model: &StructModel) -> TokenStream {
    let mut item = model.item.clone();
    for (field, model) in item.fields.iter_mut().zip(&model.fields) {
        let FieldModel {
            ty,
            description,
            options,
            ..
        } = model;
        let bounds = options.bounds.iter().map(|Bound { side, value }| {
            let keyword = side.keyword();
            let ty = quote!(<#ty as ::palaestra_plugin_api::config::Number>::Bound);
            quote!(, extend(#keyword = (::core::convert::identity::<#ty>(#value))))
        });
        let spread = (!options.bounds.is_empty())
            .then(|| quote!(, transform = ::palaestra_plugin_api::config::testing::spread_range));
        field.attrs.push(syn::parse_quote! {
            #[schemars(title = "", description = #description #(#bounds)* #spread)]
        });
    }
    let description = &model.description;
    quote! {
        #[derive(
            ::core::clone::Clone,
            ::core::fmt::Debug,
            ::core::cmp::PartialEq,
            ::palaestra_plugin_api::serde::Serialize,
            ::palaestra_plugin_api::serde::Deserialize,
            ::palaestra_plugin_api::schemars::JsonSchema,
        )]
        #[serde(crate = "::palaestra_plugin_api::serde", default, deny_unknown_fields)]
        #[schemars(
            crate = "::palaestra_plugin_api::schemars",
            inline,
            title = "",
            description = #description,
        )]
        #item
    }
}
