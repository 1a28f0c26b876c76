//! Defaults and bounds: each expression becomes a constant that carries its type, so that the compiler
//! checks it and the schema can print it.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Expr, ExprPath, Token};

/// An expression in its two forms.
pub(crate) struct Written {
    /// A constant of type `Json`.
    pub(crate) json: TokenStream,
    /// A value of the field's type, at run time.
    pub(crate) value: TokenStream,
}

/// Writes constants, naming them apart.
#[derive(Default)]
pub(crate) struct Constants {
    /// The items that carry them.
    pub(crate) items: Vec<TokenStream>,
}

impl Constants {
    /// A default of type `ty`: item by item where the expression lists items.
    pub(crate) fn written(&mut self, expr: &Expr, ty: &TokenStream) -> Written {
        let item = quote!(<#ty as __config::Container>::Item);
        match shape(expr) {
            Shape::One(expr) => self.scalar(expr, ty),
            Shape::None => Written {
                json: quote!(__config::Json::Null),
                value: quote!(::core::option::Option::None),
            },
            Shape::Some(expr) => {
                let Written { json, value } = self.written(&expr, &item);
                Written {
                    json,
                    value: quote!(::core::option::Option::Some(#value)),
                }
            }
            Shape::Line(ends) => {
                let number = quote!(::core::primitive::f64);
                let [from, to] = [0, 1].map(|i| self.scalar(ends[i], &number));
                let steps = self.scalar(ends[2], &quote!(::core::primitive::u64));
                let (values, jsons) = (
                    [&from.value, &to.value, &steps.value],
                    [&from.json, &to.json, &steps.json],
                );
                let keys = ["from", "to", "steps"];
                Written {
                    json: quote!(__config::Json::Object(&[#((#keys, #jsons)),*])),
                    value: quote!(__config::Rate::linear(#(#values),*)),
                }
            }
            Shape::List { items, is_vec } => {
                let items: Vec<_> = items.iter().map(|e| self.written(e, &item)).collect();
                let json = items.iter().map(|w| &w.json);
                let values = items.iter().map(|w| &w.value);
                let list = quote!([#(#values),*]);
                Written {
                    json: quote!(__config::Json::Array(&[#(#json),*])),
                    value: if is_vec {
                        quote!(::std::vec!#list)
                    } else {
                        list
                    },
                }
            }
            Shape::Repeat {
                item: expr,
                count,
                is_vec,
            } => {
                let Written { json, value } = self.written(&expr, &item);
                Written {
                    json: quote!(__config::Json::Repeat(&#json, #count)),
                    value: match is_vec {
                        true => quote!(::std::vec![#value; #count]),
                        false => quote!(::core::array::from_fn::<_, { #count }, _>(|_| #value)),
                    },
                }
            }
        }
    }

    /// One scalar of type `ty`.
    fn scalar(&mut self, expr: &Expr, ty: &TokenStream) -> Written {
        let carrier = format_ident!("__Constant{}", self.items.len());
        self.items.push(quote! {
            struct #carrier;
            impl __config::Constant<<#ty as __config::Scalar>::Literal> for #carrier {
                const VALUE: <#ty as __config::Scalar>::Literal = #expr;
            }
        });
        Written {
            json: quote! {
                <<#ty as __config::Scalar>::Json<#carrier> as __config::Constant<__config::Json>>::VALUE
            },
            value: quote! {
                <#ty as __config::Scalar>::from_literal(<#carrier as __config::Constant<_>>::VALUE)
            },
        }
    }

    /// A bound of a field of type `ty`, as a constant of type `Json`.
    pub(crate) fn bound(&mut self, expr: &Expr, ty: &TokenStream) -> TokenStream {
        let carrier = format_ident!("__Constant{}", self.items.len());
        self.items.push(quote! {
            struct #carrier;
            impl __config::Constant<<#ty as __config::Number>::Bound> for #carrier {
                const VALUE: <#ty as __config::Number>::Bound = #expr;
            }
        });
        quote!(__config::bound::<#ty, #carrier>())
    }
}

/// How a default is written.
enum Shape<'a> {
    One(&'a Expr),
    None,
    Some(Expr),
    /// `Rate::linear(from, to, steps)`.
    Line([&'a Expr; 3]),
    List {
        items: Vec<Expr>,
        is_vec: bool,
    },
    Repeat {
        item: Box<Expr>,
        count: Box<Expr>,
        is_vec: bool,
    },
}

fn shape(expr: &Expr) -> Shape<'_> {
    match expr {
        Expr::Paren(inner) => shape(&inner.expr),
        Expr::Group(inner) => shape(&inner.expr),
        Expr::Path(path) if is_option(path, "None") => Shape::None,
        Expr::Call(call) => match (&*call.func, call.args.first()) {
            (Expr::Path(path), Some(argument))
                if is_option(path, "Some") && call.args.len() == 1 =>
            {
                Shape::Some(argument.clone())
            }
            (Expr::Path(path), _) if is_line(path) => {
                let ends: Vec<_> = call.args.iter().collect();
                ends.try_into().map_or(Shape::One(expr), Shape::Line)
            }
            _ => Shape::One(expr),
        },
        Expr::Array(array) => Shape::List {
            items: array.elems.iter().cloned().collect(),
            is_vec: false,
        },
        Expr::Repeat(repeat) => Shape::Repeat {
            item: repeat.expr.clone(),
            count: repeat.len.clone(),
            is_vec: false,
        },
        Expr::Macro(call)
            if call
                .mac
                .path
                .segments
                .last()
                .is_some_and(|s| s.ident == "vec") =>
        {
            match call.mac.parse_body() {
                Ok(VecBody::List(items)) => Shape::List {
                    items,
                    is_vec: true,
                },
                Ok(VecBody::Repeat(item, count)) => Shape::Repeat {
                    item,
                    count,
                    is_vec: true,
                },
                Err(_) => Shape::One(expr),
            }
        }
        other => Shape::One(other),
    }
}

/// `Some` or `Option::Some`, but not `Noise::Some`.
fn is_option(path: &ExprPath, name: &str) -> bool {
    let mut names = path
        .path
        .segments
        .iter()
        .rev()
        .map(|segment| &segment.ident);
    names.next().is_some_and(|last| last == name)
        && names.next().is_none_or(|before| before == "Option")
}

/// `Rate::linear`, however qualified.
fn is_line(path: &ExprPath) -> bool {
    let names = path.path.segments.iter().rev().map(|s| &s.ident);
    names
        .take(2)
        .map(ToString::to_string)
        .eq(["linear", "Rate"])
}

/// What stands between the brackets of `vec![..]`.
enum VecBody {
    List(Vec<Expr>),
    Repeat(Box<Expr>, Box<Expr>),
}

impl Parse for VecBody {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.is_empty() {
            return Ok(VecBody::List(Vec::new()));
        }
        let first: Expr = input.parse()?;
        if input.parse::<Option<Token![;]>>()?.is_some() {
            return Ok(VecBody::Repeat(Box::new(first), input.parse()?));
        }
        let mut items = vec![first];
        if input.parse::<Option<Token![,]>>()?.is_some() {
            items.extend(Punctuated::<Expr, Token![,]>::parse_terminated(input)?);
        }
        Ok(VecBody::List(items))
    }
}
