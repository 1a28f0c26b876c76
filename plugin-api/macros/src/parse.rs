//! The item under `#[config]` and its options, and why an item is refused.

use proc_macro2::{TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Attribute, Expr, Fields, Ident, ItemEnum, ItemStruct, RangeLimits, Token, Type};

use crate::doc;

/// What `#[config]` stands on.
pub(crate) enum Item {
    Struct(StructModel),
    Enum(EnumModel),
}

/// A struct with settings.
pub(crate) struct StructModel {
    /// The item without `#[config(..)]` attributes.
    pub(crate) item: ItemStruct,
    pub(crate) description: String,
    pub(crate) fields: Vec<FieldModel>,
}

/// One setting.
pub(crate) struct FieldModel {
    pub(crate) ident: Ident,
    /// The key in JSON.
    pub(crate) name: String,
    pub(crate) ty: Type,
    pub(crate) description: String,
    pub(crate) options: FieldOptions,
}

/// `#[config(..)]` of a field.
#[derive(Default)]
pub(crate) struct FieldOptions {
    pub(crate) default: Option<Expr>,
    pub(crate) bounds: Vec<Bound>,
}

/// One end of a range: the keyword of JSON Schema and its value.
pub(crate) struct Bound {
    pub(crate) side: Side,
    pub(crate) value: Expr,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Side {
    Minimum,
    ExclusiveMinimum,
    Maximum,
    ExclusiveMaximum,
}

/// An enum of unit variants.
pub(crate) struct EnumModel {
    /// The item without `#[config(..)]` attributes.
    pub(crate) item: ItemEnum,
    pub(crate) description: String,
    pub(crate) variants: Vec<VariantModel>,
    /// Index of the default variant.
    pub(crate) default: usize,
}

/// One value of the enum.
pub(crate) struct VariantModel {
    pub(crate) ident: Ident,
    /// The string in JSON.
    pub(crate) name: String,
    pub(crate) description: String,
}

/// Reads the item; all that is wrong with it comes in one error.
pub(crate) fn item(arguments: TokenStream, item: TokenStream) -> syn::Result<Item> {
    if !arguments.is_empty() {
        let message = "#[config] of a type takes no arguments; they stand on its fields";
        return Err(syn::Error::new_spanned(arguments, message));
    }
    match syn::parse2(item)? {
        syn::Item::Struct(item) => structure(item).map(Item::Struct),
        syn::Item::Enum(item) => enumeration(item).map(Item::Enum),
        other => Err(syn::Error::new(
            other.span(),
            "expected a struct with named fields or an enum of unit variants under #[config]",
        )),
    }
}

/// The item as written, without options that only this macro understands.
pub(crate) fn without_options(item: TokenStream) -> TokenStream {
    let is_option = |a: &Attribute| a.path().is_ident("config");
    match syn::parse2(item.clone()) {
        Ok(syn::Item::Struct(mut item)) => {
            item.fields
                .iter_mut()
                .for_each(|f| f.attrs.retain(|a| !is_option(a)));
            quote::quote!(#item)
        }
        Ok(syn::Item::Enum(mut item)) => {
            item.variants
                .iter_mut()
                .for_each(|v| v.attrs.retain(|a| !is_option(a)));
            quote::quote!(#item)
        }
        _ => item,
    }
}

fn structure(mut item: ItemStruct) -> syn::Result<StructModel> {
    let mut errors = Errors::default();
    errors.refuse_generics(&item.generics);
    errors.refuse_attributes(&item.attrs);
    let description = errors.describe(&item.attrs, &item.ident, "struct");
    let mut fields = Vec::new();
    match &mut item.fields {
        Fields::Named(named) => {
            for field in &mut named.named {
                let ident = field
                    .ident
                    .clone()
                    .unwrap_or_else(|| Ident::new("_", field.span()));
                fields.push(FieldModel {
                    name: ident.unraw().to_string(),
                    description: errors.describe(&field.attrs, &ident, "field"),
                    options: errors.keep(field_options(&mut field.attrs)),
                    ty: field.ty.clone(),
                    ident,
                });
                errors.refuse_attributes(&field.attrs);
            }
        }
        other => errors.push(syn::Error::new(
            if other.is_empty() {
                item.ident.span()
            } else {
                other.span()
            },
            "expected named fields: settings are an object in JSON; write `struct Name { .. }`",
        )),
    }
    errors.finish(StructModel {
        item,
        description,
        fields,
    })
}

fn enumeration(mut item: ItemEnum) -> syn::Result<EnumModel> {
    let mut errors = Errors::default();
    errors.refuse_generics(&item.generics);
    errors.refuse_attributes(&item.attrs);
    let description = errors.describe(&item.attrs, &item.ident, "enum");
    let mut variants = Vec::new();
    let mut default = None;
    if item.variants.is_empty() {
        errors.push(syn::Error::new(
            item.ident.span(),
            "expected at least one variant",
        ));
    }
    for (i, variant) in item.variants.iter_mut().enumerate() {
        if !matches!(variant.fields, Fields::Unit) {
            let message = "expected a unit variant: a choice is one string in JSON; put data into a #[config] struct beside it";
            errors.push(syn::Error::new_spanned(&variant.fields, message));
        }
        if errors.keep(is_marked_default(&mut variant.attrs)) && default.replace(i).is_some() {
            errors.push(syn::Error::new(
                variant.ident.span(),
                "expected one #[config(default)], found a second",
            ));
        }
        errors.refuse_attributes(&variant.attrs);
        variants.push(VariantModel {
            name: crate::snake_case(&variant.ident.unraw().to_string()),
            description: errors.describe(&variant.attrs, &variant.ident, "variant"),
            ident: variant.ident.clone(),
        });
    }
    errors.finish(EnumModel {
        item,
        description,
        variants,
        default: default.unwrap_or(0),
    })
}

/// Takes `#[config(..)]` out of a field's attributes.
fn field_options(attributes: &mut Vec<Attribute>) -> syn::Result<FieldOptions> {
    let mut options = FieldOptions::default();
    for attribute in attributes.extract_if(.., |a| a.path().is_ident("config")) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("default") {
                let value = constant(meta.value()?.parse()?)?;
                if options.default.replace(value).is_some() {
                    return Err(meta.error("expected one default, found a second"));
                }
                Ok(())
            } else if meta.path.is_ident("range") {
                range(&mut options, meta.value()?.parse()?)
            } else if meta.path.is_ident("above") {
                let value = meta.value()?.parse()?;
                options.bound(Side::ExclusiveMinimum, value)
            } else {
                Err(meta.error("expected `default = ..`, `range = ..` or `above = ..`"))
            }
        })?;
    }
    Ok(options)
}

fn range(options: &mut FieldOptions, value: Expr) -> syn::Result<()> {
    let Expr::Range(range) = value else {
        let message = "expected a range such as 0.0..=1.0, 1.., ..=10 or 0.0..1.0";
        return Err(syn::Error::new_spanned(value, message));
    };
    if range.start.is_none() && range.end.is_none() {
        return Err(syn::Error::new_spanned(
            range,
            "expected a range with at least one end",
        ));
    }
    if let Some(start) = range.start {
        options.bound(Side::Minimum, *start)?;
    }
    match (range.end, range.limits) {
        (Some(end), RangeLimits::Closed(_)) => options.bound(Side::Maximum, *end),
        (Some(end), RangeLimits::HalfOpen(_)) => options.bound(Side::ExclusiveMaximum, *end),
        (None, _) => Ok(()),
    }
}

impl FieldOptions {
    fn bound(&mut self, side: Side, value: Expr) -> syn::Result<()> {
        if self
            .bounds
            .iter()
            .any(|b| b.side.is_lower() == side.is_lower())
        {
            let end = if side.is_lower() { "lower" } else { "upper" };
            return Err(syn::Error::new_spanned(
                value,
                format!("expected one {end} bound, found a second"),
            ));
        }
        self.bounds.push(Bound {
            side,
            value: constant(value)?,
        });
        Ok(())
    }
}

impl Side {
    fn is_lower(self) -> bool {
        matches!(self, Side::Minimum | Side::ExclusiveMinimum)
    }

    /// JSON Schema's keyword.
    pub(crate) fn keyword(self) -> &'static str {
        match self {
            Side::Minimum => "minimum",
            Side::ExclusiveMinimum => "exclusiveMinimum",
            Side::Maximum => "maximum",
            Side::ExclusiveMaximum => "exclusiveMaximum",
        }
    }
}

/// Refuses `Self`, which would mean a helper type where the expression ends up.
fn constant(value: Expr) -> syn::Result<Expr> {
    fn find_self(tokens: TokenStream) -> Option<proc_macro2::Span> {
        tokens.into_iter().find_map(|token| match token {
            TokenTree::Ident(ident) if ident == "Self" => Some(ident.span()),
            TokenTree::Group(group) => find_self(group.stream()),
            _ => None,
        })
    }
    match find_self(quote::quote!(#value)) {
        Some(span) => Err(syn::Error::new(
            span,
            "expected the name of the type instead of `Self`",
        )),
        None => Ok(value),
    }
}

/// Takes `#[config(default)]` out of a variant's attributes.
fn is_marked_default(attributes: &mut Vec<Attribute>) -> syn::Result<bool> {
    let mut marked = false;
    for attribute in attributes.extract_if(.., |a| a.path().is_ident("config")) {
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("default") || meta.input.peek(Token![=]) {
                return Err(meta.error("expected `default` on a variant"));
            }
            marked = true;
            Ok(())
        })?;
    }
    Ok(marked)
}

/// Collects errors, so that an author sees all of them at once.
#[derive(Default)]
struct Errors(Option<syn::Error>);

impl Errors {
    fn push(&mut self, error: syn::Error) {
        match &mut self.0 {
            Some(errors) => errors.combine(error),
            None => self.0 = Some(error),
        }
    }

    fn keep<T: Default>(&mut self, result: syn::Result<T>) -> T {
        result.unwrap_or_else(|error| {
            self.push(error);
            T::default()
        })
    }

    fn describe(&mut self, attributes: &[Attribute], ident: &Ident, what: &str) -> String {
        match doc::description(attributes) {
            Ok(Some(text)) => return text,
            Ok(None) => self.push(syn::Error::new(
                ident.span(),
                format!("expected a doc comment on {what} `{ident}`: it becomes the description in the schema"),
            )),
            Err(error) => self.push(error),
        }
        String::new()
    }

    fn refuse_generics(&mut self, generics: &syn::Generics) {
        if !generics.params.is_empty() {
            let message =
                "expected no generics: a config has one schema, so its types must be concrete";
            self.push(syn::Error::new_spanned(generics, message));
        }
    }

    /// Attributes that change the JSON or the item behind the macro's back.
    fn refuse_attributes(&mut self, attributes: &[Attribute]) {
        for attribute in attributes {
            let name = ["serde", "schemars", "cfg", "cfg_attr"]
                .into_iter()
                .find(|n| attribute.path().is_ident(n));
            if let Some(name) = name {
                let message = format!(
                    "expected no #[{name}] here: #[config] alone decides how settings look in JSON"
                );
                self.push(syn::Error::new_spanned(attribute, message));
            }
        }
    }

    fn finish<T>(self, value: T) -> syn::Result<T> {
        self.0.map_or(Ok(value), Err)
    }
}
