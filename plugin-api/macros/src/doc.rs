//! Doc comments as descriptions.

use syn::{Attribute, Expr, ExprLit, Lit, Meta};

/// The description that the doc comments of an item make; `None` when there are none.
///
/// Lines of a paragraph are joined by spaces, as Markdown reads them; lists, tables and blank lines stay.
pub(crate) fn description(attributes: &[Attribute]) -> syn::Result<Option<String>> {
    let mut text = String::new();
    for attribute in attributes.iter().filter(|a| a.path().is_ident("doc")) {
        let Meta::NameValue(pair) = &attribute.meta else {
            continue; // #[doc(hidden)] and the like
        };
        let Expr::Lit(ExprLit {
            lit: Lit::Str(line),
            ..
        }) = &pair.value
        else {
            let message = "expected a plain doc comment: it becomes the description in the schema";
            return Err(syn::Error::new_spanned(&pair.value, message));
        };
        for line in line.value().split('\n') {
            append(&mut text, line.strip_prefix(' ').unwrap_or(line).trim_end());
        }
    }
    let text = text.trim();
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

fn append(text: &mut String, line: &str) {
    let starts_block = line.starts_with([' ', '\t', '-', '*', '+', '|', '#', '`', '>'])
        || line.starts_with(|c: char| c.is_ascii_digit()) && line.contains(". ");
    match text.chars().last() {
        None => {}
        Some('\n') => {}
        Some(_) if line.is_empty() => text.push_str("\n\n"),
        Some(_) if starts_block => text.push('\n'),
        Some(_) => text.push(' '),
    }
    text.push_str(line);
}
