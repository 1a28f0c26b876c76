//! Checks a configuration against the JSON Schema that a plugin's manifest carries.

use std::fmt;

use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

pub use crate::defaults::{apply_defaults, defaults};
use crate::error::{Error, Result};
use crate::problem;

/// One thing wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// JSON pointer to the value, empty for the whole configuration.
    pub pointer: String,
    /// `expected X, found Y`.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.pointer.is_empty() {
            write!(f, "{}: ", self.pointer)?;
        }
        f.write_str(&self.message)
    }
}

/// The schema of one configuration, ready to check with.
#[derive(Debug)]
pub struct ConfigSchema {
    subject: String,
    schema: Value,
    validator: Validator,
}

impl ConfigSchema {
    /// Prepares `schema`; errors name `subject`, usually an id such as `classic/CartPole-v1`.
    ///
    /// # Errors
    /// Kind `Plugin`: no valid JSON Schema, or one that refers to other documents.
    pub fn new(subject: impl Into<String>, schema: &Value) -> Result<Self> {
        let subject = subject.into();
        let validator = jsonschema::options()
            // The plugin writes the patterns: take the engine that runs in linear time.
            .with_pattern_options(PatternOptions::regex())
            .build(schema)
            .map_err(|e| {
                Error::plugin(format!(
                    "schema {subject}: {}: expected a valid json schema, found: {e}",
                    e.instance_path()
                ))
            })?;
        Ok(Self {
            subject,
            schema: schema.clone(),
            validator,
        })
    }

    /// Everything wrong with `config`, by JSON pointer; empty when it is valid.
    pub fn problems(&self, config: &Value) -> Vec<Problem> {
        let errors = self.validator.iter_errors(config);
        let mut problems: Vec<Problem> = errors
            .flat_map(|error| problem::explain(&self.schema, &error))
            .collect();
        problems.sort();
        problems.dedup();
        problems
    }

    /// Checks `config`.
    ///
    /// # Errors
    /// Kind `Config`: `config ID: /pointer: expected X, found Y` for the first problem, with the number of
    /// further ones; values that are missing come last.
    pub fn check(&self, config: &Value) -> Result<()> {
        let problems = self.problems(config);
        // What is missing may well be there, under a misspelt key.
        let there = problems.iter().find(|p| p.message != problem::MISSING);
        let Some(first) = there.or(problems.first()) else {
            return Ok(());
        };
        let more = match problems.len() - 1 {
            0 => String::new(),
            1 => " (and 1 more problem)".to_owned(),
            more => format!(" (and {more} more problems)"),
        };
        Err(Error::config(format!(
            "config {}: {first}{more}",
            self.subject
        )))
    }

    /// Checks `config` and fills in the defaults of what it leaves out.
    ///
    /// # Errors
    /// As [`ConfigSchema::check`]; kind `Plugin` if only the schema's own defaults are invalid.
    pub fn complete(&self, config: &Value) -> Result<Value> {
        self.check(config)?;
        let full = apply_defaults(&self.schema, config);
        match self.problems(&full).first() {
            None => Ok(full),
            Some(problem) => Err(Error::plugin(format!(
                "schema {}: expected valid defaults, found {problem}",
                self.subject
            ))),
        }
    }
}

#[cfg(test)]
mod tests;
