//! What an author reads when a config cannot be one, and the small pure functions.

use proc_macro2::TokenStream;

use crate::parse::Item;
use crate::{doc, expand, parse, snake_case};

/// The messages of all errors in an item.
fn messages(item: &str) -> Vec<String> {
    match parse::item(
        TokenStream::new(),
        item.parse().expect("the item is tokens"),
    ) {
        Ok(_) => Vec::new(),
        Err(error) => error.into_iter().map(|e| e.to_string()).collect(),
    }
}

#[test]
fn each_refusal_says_what_was_expected() {
    let cases = [
        ("/// A.\nstruct A(f64);", "expected named fields"),
        ("/// A.\nstruct A;", "expected named fields"),
        (
            "/// A.\nstruct A<T> { /** x */ x: T }",
            "expected no generics",
        ),
        (
            "/// A.\nunion A { /** x */ x: f64 }",
            "expected a struct with named fields or an enum",
        ),
        (
            "struct A { /** x */ x: f64 }",
            "expected a doc comment on struct `A`",
        ),
        (
            "/// A.\nstruct A { x: f64 }",
            "expected a doc comment on field `x`",
        ),
        (
            "/// A.\nstruct A { #[doc = include_str!(\"x\")] x: f64 }",
            "expected a plain doc comment",
        ),
        (
            "/// A.\nstruct A { /** x */ #[serde(rename = \"y\")] x: f64 }",
            "expected no #[serde] here",
        ),
        (
            "/// A.\nstruct A { /** x */ #[cfg(unix)] x: f64 }",
            "expected no #[cfg] here",
        ),
        (
            "/// A.\n#[serde(untagged)] struct A { }",
            "expected no #[serde] here",
        ),
        (
            "/// A.\nstruct A { /** x */ #[config(defualt = 1.0)] x: f64 }",
            "expected `default = ..`",
        ),
        (
            "/// A.\nstruct A { /** x */ #[config(range = 1)] x: f64 }",
            "expected a range such as",
        ),
        (
            "/// A.\nstruct A { /** x */ #[config(range = ..)] x: f64 }",
            "at least one end",
        ),
        (
            "/// A.\nstruct A { /** x */ #[config(above = 0.0, range = 1.0..)] x: f64 }",
            "expected one lower bound",
        ),
        (
            "/// A.\nstruct A { /** x */ #[config(range = ..1.0, range = ..2.0)] x: f64 }",
            "expected one upper bound",
        ),
        (
            "/// A.\nstruct A { /** x */ #[config(default = 1, default = 2)] x: u8 }",
            "expected one default",
        ),
        (
            "/// A.\nstruct A { /** x */ #[config(default = Self::X)] x: u8 }",
            "instead of `Self`",
        ),
        (
            "/// A.\nenum A { /** B */ B(f64) }",
            "expected a unit variant",
        ),
        ("/// A.\nenum A { }", "expected at least one variant"),
        (
            "/// A.\nenum A { B }",
            "expected a doc comment on variant `B`",
        ),
        (
            "/// A.\nenum A { /** B */ #[config(default)] B, /** C */ #[config(default)] C }",
            "found a second",
        ),
        (
            "/// A.\nenum A { /** B */ #[config(default = 3)] B }",
            "expected `default` on a variant",
        ),
    ];
    for (item, expected) in cases {
        let found = messages(item);
        assert!(
            found.len() == 1 && found[0].contains(expected),
            "{item}: {found:?}"
        );
    }
}

#[test]
fn all_errors_come_at_once_and_the_bare_item_stays() {
    let item = "struct A { x: f64, #[config(typo)] y: f64 }";
    assert_eq!(messages(item).len(), 4);
    let expanded = expand(TokenStream::new(), item.parse().expect("tokens")).to_string();
    assert_eq!(expanded.matches("compile_error").count(), 4);
    assert!(
        expanded.ends_with("struct A { x : f64 , y : f64 }"),
        "{expanded}"
    );
    let with_arguments = expand(
        "x = 1".parse().expect("tokens"),
        item.parse().expect("tokens"),
    )
    .to_string();
    assert!(
        with_arguments.contains("takes no arguments"),
        "{with_arguments}"
    );
}

#[test]
fn the_output_names_one_crate_only() {
    let item =
        "/// A.\nstruct A { /** x */ #[config(default = vec![1.0], range = 0.0..)] x: Vec<f64> }";
    let expanded = expand(TokenStream::new(), item.parse().expect("tokens")).to_string();
    for (i, _) in expanded.match_indices(" :: palaestra") {
        assert!(
            expanded[i..].starts_with(" :: palaestra_plugin_api ::"),
            "{}",
            &expanded[i..i + 60]
        );
    }
    assert!(!expanded.contains("unsafe"));
}

#[test]
fn options_are_read_as_written() {
    let item = "/// A.\nenum A { /** One. */ One, /** Two. */ #[config(default)] TwoOrThree }";
    let Ok(Item::Enum(model)) = parse::item(TokenStream::new(), item.parse().expect("tokens"))
    else {
        panic!("the enum is accepted");
    };
    assert_eq!(
        (model.default, model.variants[1].name.as_str()),
        (1, "two_or_three")
    );
    assert_eq!(model.variants[1].description, "Two.");
}

#[test]
fn snake_case_is_serdes() {
    for (name, expected) in [
        ("Sparse", "sparse"),
        ("WhiteNoise", "white_noise"),
        ("RGBImage", "r_g_b_image"),
    ] {
        assert_eq!(snake_case(name), expected);
    }
}

#[test]
fn paragraphs_are_joined_and_blocks_kept() {
    let text = "/// One\n/// line.\n///\n/// Next:\n/// - a\n/// - b\n/// c\n/// 1. d\nstruct A;";
    let item: syn::ItemStruct = syn::parse_str(text).expect("a struct");
    let description = doc::description(&item.attrs).expect("plain doc comments");
    assert_eq!(
        description.as_deref(),
        Some("One line.\n\nNext:\n- a\n- b c\n1. d")
    );
}
